"""Where else do pipelines run? On the workers of Dask or the actors of Ray.

    run            a pipeline on each of many shards
    RayExecutor    calls in actors of Ray; needs the extra `ray`

For the calls of one task, `executor=` takes `RayExecutor()`, or of a client of Dask's
`client.get_executor(pure=False)`. How it is made:

    _run.py            shards -> calls that run the pipeline -> results
    _shards.py         what happens with a shard within a worker
    _places.py         a client, `ray`, an executor -> workers
    _ray_executor.py   calls -> futures
    _ray_actors.py     which actor is next: one that is ready and free
    _ray_runner.py     what happens within an actor
"""

from ._ray_executor import RayExecutor
from ._run import run

__all__ = ["RayExecutor", "run"]
