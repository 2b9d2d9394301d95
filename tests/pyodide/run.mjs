// Start CPython in this process and let it run tests/pyodide/inside.py.
//   node run.mjs TREE PACKAGES [options of pytest]
import { loadPyodide } from "pyodide";

const [tree, packages, ...options] = process.argv.slice(2);
let status = 1;
try {
  const python = await loadPyodide({ env: { HOME: "/tmp", PYTHONDONTWRITEBYTECODE: "1" } });
  for (const [where, root] of [["/tree", tree], ["/packages", packages]]) {
    python.FS.mkdir(where);
    python.FS.mount(python.FS.filesystems.NODEFS, { root }, where);
  }
  python.FS.chdir("/tree");
  python.runPython("import sys; sys.path[:0] = ['/tree', '/packages']");
  const inside = python.pyimport("tests.pyodide.inside");
  await inside.on_web_loop();
  status = inside.main(options);
} catch (error) {
  // Not left to Node: it would print the line it comes from, a megabyte of pyodide.
  console.error(String(error.stack).slice(-10_000));
}
process.exit(status);
