"""How many milliseconds does it take to import a module, in a process that has imported little?"""

import sys
import time

start = time.perf_counter()
__import__(sys.argv[1])
print((time.perf_counter() - start) * 1e3)
