/** The suite in the browser's extension host, a web worker. */
import 'mocha/mocha';
import { report, Silent, TIMEOUT } from './report';

export function run(): Promise<void> {
  mocha.setup({ ui: 'tdd', timeout: TIMEOUT, reporter: Silent as never });
  require('./extension.test');
  return new Promise((resolve, reject) => {
    const runner = mocha.run(failures => (failures ? reject(new Error(`${failures} tests failed`)) : resolve()));
    runner.on('pass', test => report({ title: test.title, error: null, milliseconds: test.duration ?? 0 }));
    runner.on('fail', (test, error) =>
      report({ title: test.title, error: error.stack ?? error.message, milliseconds: test.duration ?? 0 }),
    );
  });
}
