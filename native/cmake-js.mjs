/**
 * cmake-js on this package: `node cmake-js.mjs ROOT OUT -DNAME=VALUE…`. A process of its own, because cmake-js writes
 * CMake's output to the terminal and only a parent can keep it for the case of an error.
 */
import { BuildSystem } from 'cmake-js';

const [directory, out, ...flags] = process.argv.slice(2);
const cMakeOptions = Object.fromEntries(
  flags.map((flag) => {
    const [, name, value] = /^-D([^=]+)=(.*)$/.exec(flag) ?? [];
    if (!name) throw new Error(`not a CMake definition: ${flag}`);
    return [name, value];
  }),
);
const system = new BuildSystem({ directory, out, cMakeOptions, parallel: 2 });
// Node-API's headers come from the package node-api-headers; without this cmake-js would download Node's.
system.options.isNodeApi = true;
await system.configure();
await system.build();
