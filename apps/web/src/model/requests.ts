/** What a request asks for, in the words of the field: the route of the Engine API or the method of the RPC. */

/** Completes "dockerd asks containerd to …". The Engine API's paths carry a version and ids, which are dropped first. */
const HTTP: readonly (readonly [RegExp, string])[] = [
  [/^HEAD \/_ping/, 'say which API version it speaks'],
  [/^GET \/_ping/, 'answer a ping'],
  [/^POST \/containers\/create/, 'create a container'],
  [/^POST \/containers\/[^/]+\/attach/, 'stream its output over this connection'],
  [/^POST \/containers\/[^/]+\/wait/, 'say when the container ends'],
  [/^POST \/containers\/[^/]+\/start/, 'start the container'],
  [/^POST \/containers\/[^/]+\/stop/, 'stop the container'],
  [/^POST \/containers\/[^/]+\/kill/, 'signal the container'],
  [/^POST \/containers\/[^/]+\/resize/, 'resize its terminal'],
  [/^GET \/containers\/[^/]+\/logs/, 'send the logs'],
  [/^GET \/containers\/json/, 'list the containers'],
  [/^GET \/containers\/[^/]+\/json/, 'describe the container'],
  [/^DELETE \/containers\//, 'remove the container'],
  [/^POST \/images\/create/, 'pull the image'],
  [/^GET \/images\/json/, 'list the images'],
  [/^DELETE \/images\//, 'remove the image'],
  [/^GET \/images\//, 'describe the image'],
  [/^GET \/version/, 'say its version'],
  [/^GET \/info/, 'describe itself'],
  [/^GET \/events/, 'send events as they happen'],
];

const RPC: Readonly<Record<string, string>> = {
  'Containers/Create': 'record the container',
  'Containers/Get': 'look the container up',
  'Containers/Update': 'change its record of the container',
  'Containers/Delete': 'forget the container',
  'Containers/List': 'list its containers',
  'Snapshots/Prepare': 'prepare a writable layer over the image',
  'Snapshots/Mounts': 'say how to mount the layers',
  'Snapshots/Remove': 'remove the writable layer',
  'Snapshots/Stat': 'look a layer up',
  'Images/Get': 'look the image up',
  'Images/List': 'list its images',
  'Images/Create': 'record the image',
  'Images/Delete': 'forget the image',
  'Content/Read': 'read a blob',
  'Content/Info': 'look a blob up',
  'Leases/Create': 'keep new content from being collected',
  'Leases/Delete': 'let go of a lease',
  'Tasks/Create': 'create the task',
  'Tasks/Start': 'start the task',
  'Tasks/Wait': 'say when the task exits',
  'Tasks/Delete': 'delete the task',
  'Tasks/Kill': 'signal the task',
  'Tasks/Get': 'say how the task is',
  'Tasks/Exec': 'prepare one more process',
  'Tasks/ResizePty': 'resize the terminal',
  'Tasks/CloseIO': 'close its standard input',
  'Task/Create': 'create the task',
  'Task/Start': 'start the task',
  'Task/Wait': 'say when the task exits',
  'Task/Delete': 'delete the task',
  'Task/Kill': 'signal the task',
  'Task/State': 'say how the task is',
  'Task/Connect': 'say who it is',
  'Task/Exec': 'prepare one more process',
  'Task/Pids': 'list its processes',
  'Task/ResizePty': 'resize the terminal',
  'Task/CloseIO': 'close its standard input',
  'Task/Shutdown': 'leave',
  'Events/Subscribe': 'send events as they happen',
  'Events/Forward': 'pass an event on',
  'Events/Publish': 'publish an event',
  'Version/Version': 'say its version',
  'Health/Check': 'say whether it is well',
  'Introspection/Plugins': 'list its plugins',
};

/** `POST /v1.50/containers/3f9c…/start?x=1` → `POST /containers/3f9c…/start`. */
const withoutVersionAndQuery = (summary: string): string =>
  summary.replace(/ \/v\d+\.\d+\//, ' /').replace(/\?.*$/, '');

/** What follows "asks X to", or null for a request that nobody wrote words for. */
export const purposeOf = (summary: string): string | null => {
  const line = withoutVersionAndQuery(summary);
  const route = HTTP.find(([pattern]) => pattern.test(line));
  if (route) return route[1];
  const method = /([A-Za-z]+)\/([A-Za-z]+)$/.exec(line);
  return (method && RPC[`${method[1]}/${method[2]}`]) ?? null;
};

const ID = /[0-9a-f]{64}/g;

/** Short enough for a label on a moving token: `POST /containers/3f9c1d2e4b5a/start`, `Tasks/Create`. */
export const shortSummary = (summary: string): string =>
  withoutVersionAndQuery(summary)
    .replace(/ answered$/, ' done')
    .replace(ID, (id) => id.slice(0, 6) + '…')
    .replace(/^(?:[a-z]+\.)*(?:[a-z]+[0-9]*\.)*([A-Z][A-Za-z]+\/[A-Z])/, '$1');
