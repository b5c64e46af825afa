// A page that tells what does not change: only the mark of the connection lives.

import { clocks, listen } from "/core.js";

clocks(document);
listen({}, () => {});
