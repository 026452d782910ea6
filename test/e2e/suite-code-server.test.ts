/** The mocha suite in code-server's extension host, which is VS Code's own on Node. */

import { repeat } from './harness/repeat';
import { suiteInCodeServer } from './harness/suite.mjs';
import { freshWorkspace } from './harness/workbench.mjs';

repeat('in the extension host on Node', await suiteInCodeServer(freshWorkspace()));
