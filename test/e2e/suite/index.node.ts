/** The suite on the desktop's extension host: `run` is what VS Code calls with --extensionTestsPath. */
import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';
import { type Result, report, Silent, TIMEOUT } from './report';

export function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'tdd', timeout: TIMEOUT, reporter: Silent as never });
  mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, globalThis, '', mocha);
  require('./extension.test');
  const file = process.env.MLX_SCOPE_RESULTS;
  const tell = (result: Result) => {
    report(result);
    if (file) appendFileSync(file, `${JSON.stringify(result)}\n`);
  };
  return new Promise((resolve, reject) => {
    const runner = mocha.run(failures => (failures ? reject(new Error(`${failures} tests failed`)) : resolve()));
    runner.on('pass', test => tell({ title: test.title, error: null, milliseconds: test.duration ?? 0 }));
    runner.on('fail', (test, error) =>
      tell({ title: test.title, error: error.stack ?? error.message, milliseconds: test.duration ?? 0 }),
    );
  });
}
