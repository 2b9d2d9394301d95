"""Async tests run in virtual time and must leave nothing behind."""

pytest_plugins = [
    "conveyor_rx.testing.plugin",
    "pytester",  # the plugin's own tests
    "tests.faults.loops",  # --loops
]
