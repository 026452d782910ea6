/** The mocha suite in the desktop's VS Code; run.mjs leaves this file out where there is none. */
import { suiteOnDesktop } from './harness/desktop.mjs';
import { repeat } from './harness/repeat';
import { freshWorkspace } from './harness/workbench.mjs';

repeat('in VS Code on the desktop', await suiteOnDesktop(freshWorkspace()));
