"""How do calls share a rate, or a number of permits? They ask for all that they need, at once.

    request = Request(limits, item, wake)   what it costs is known from here on
    request.take()                          True: granted. False: it waits, in all queues
    wake()                                  it could be granted now: take() again, soon
    request.release(error)                  the attempt is over

A request asks for one attempt, and is granted by all of its limits together, or by none. It enters
all queues at one moment, so that two requests stand in the same order wherever they meet: the
oldest one that waits is first in all of its queues, and nobody waits in a circle. What is first in
a queue is never overtaken. So it has to be wanted: who is woken takes or withdraws, and a run that
stops for a while withdraws its requests, else it stops all others.

All of it is for one thread, that of the event loop: nothing here has a lock.
"""
