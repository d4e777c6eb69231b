/** Pumps one FIFO into a log until the stream ends, or until somebody kills it. For output-pump.kernel.test.ts. */
import { join } from 'node:path';
import { native } from '../../../native/load.ts';
import { JsonFile } from '../json-file.ts';
import { OutputHub } from '../output-hub.ts';
import { OutputPump } from '../output-pump.ts';

const [directory = '', fifoPath = ''] = process.argv.slice(2);
const log = new JsonFile(join(directory, 'json.log'), join(directory, 'checkpoint.json'));
const pump = new OutputPump({
  stream: 'stdout',
  fifoPath,
  spoolDirectory: join(directory, 'spool'),
  log,
  hub: new OutputHub(),
  native,
  onOutput: () => undefined,
});
pump.start();
process.stdout.write('ready\n');
void pump.finished.then(() => log.close()).then(() => process.exit(0));
