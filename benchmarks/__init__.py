"""How fast is conveyor_rx beside its peers, and how far from what a hand-written loop can do?

The map:

    run.py           makes the environment, then runs this package in it
    __main__.py      the command: options, all measurements, what is written
    steps.py         the vocabulary in which a job says what is to be done
    functions.py     the user's functions that the jobs call
    latencies.py     how long the calls of the makespan jobs take, and the ideal
    loads.py         what comes in when, and what the calls do, under real conditions
    job.py           one row of a table
    jobs.py          what is measured
    small_runs.py    what is measured of runs of few items
    conditions.py    what is measured under real conditions
    elsewhere.py     what is measured in threads and processes
    on_clusters.py   what is measured on Dask and Ray
    in_use.py        what options, generators, probes and batches of rows cost where they are in use
    contestants/     each peer: how its user writes such a chain
    watch.py         what the calls of a step were, and whether it allows them
    trial.py         whether what a contestant does is right
    reading.py       results read one by one
    speed.py         real time     | the kinds of
    runs.py          whole runs    |
    virtual.py       virtual time  | measurement
    under_load.py    latencies     |
    space.py         memory        |
    crews.py         threads, processes, clusters
    memory.py        what the system says of this process's memory
    import_time.py   what an import takes
    measure.py       one measurement, in a process of its own
    rounds.py        all measurements, interleaved
    records.py       what is kept of them
    goals.py         what they say about the goals
    table.py         as text
    chart.py         as SVG
    readme.py        in the README
    machine.py       where it was measured
"""
