/** The mocha suite in VS Code for the Web, where client and server are web workers. */

import { repeat } from './harness/repeat';
import { suiteInWeb } from './harness/suite.mjs';
import { freshWorkspace } from './harness/workbench.mjs';

repeat('in VS Code for the Web', await suiteInWeb(freshWorkspace()));
