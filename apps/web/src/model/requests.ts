/** What a request asks for, in the words of the field: the route of the Engine API or the method of the RPC. */
import { t } from '../messages/catalogue.ts';
import type { Messages } from '../messages/messages.ts';

type Purpose = keyof Messages['purposes'];

/** The Engine API's paths carry a version and ids, which are dropped first. */
const HTTP: readonly (readonly [RegExp, Purpose])[] = [
  [/^HEAD \/_ping/, 'ping'],
  [/^GET \/_ping/, 'pong'],
  [/^POST \/containers\/create/, 'create'],
  [/^POST \/containers\/[^/]+\/attach/, 'attach'],
  [/^POST \/containers\/[^/]+\/wait/, 'wait'],
  [/^POST \/containers\/[^/]+\/start/, 'start'],
  [/^POST \/containers\/[^/]+\/stop/, 'stop'],
  [/^POST \/containers\/[^/]+\/kill/, 'kill'],
  [/^POST \/containers\/[^/]+\/resize/, 'resize'],
  [/^GET \/containers\/[^/]+\/logs/, 'logs'],
  [/^GET \/containers\/json/, 'containers'],
  [/^GET \/containers\/[^/]+\/json/, 'container'],
  [/^DELETE \/containers\//, 'remove'],
  [/^POST \/images\/create/, 'pull'],
  [/^GET \/images\/json/, 'images'],
  [/^DELETE \/images\//, 'removeImage'],
  [/^GET \/images\//, 'image'],
  [/^GET \/version/, 'version'],
  [/^GET \/info/, 'info'],
  [/^GET \/events/, 'events'],
];

const RPC: Readonly<Record<string, Purpose>> = {
  'Containers/Create': 'record',
  'Containers/Get': 'lookUp',
  'Containers/Update': 'changeRecord',
  'Containers/Delete': 'forget',
  'Containers/List': 'listContainers',
  'Snapshots/Prepare': 'prepareLayer',
  'Snapshots/Mounts': 'mounts',
  'Snapshots/Remove': 'removeLayer',
  'Snapshots/Stat': 'lookUpLayer',
  'Images/Get': 'lookUpImage',
  'Images/List': 'listImages',
  'Images/Create': 'recordImage',
  'Images/Delete': 'forgetImage',
  'Content/Read': 'readBlob',
  'Content/Write': 'writeBlob',
  'Content/Update': 'labelBlob',
  'Diff/Apply': 'unpackLayer',
  'Snapshots/Commit': 'closeLayer',
  'Leases/AddResource': 'holdContent',
  'Content/Info': 'lookUpBlob',
  'Leases/Create': 'lease',
  'Leases/Delete': 'endLease',
  'Tasks/Create': 'createTask',
  'Tasks/Start': 'startTask',
  'Tasks/Wait': 'waitTask',
  'Tasks/Delete': 'deleteTask',
  'Tasks/Kill': 'killTask',
  'Tasks/Get': 'task',
  'Tasks/Exec': 'exec',
  'Tasks/ResizePty': 'resizeTerminal',
  'Tasks/CloseIO': 'closeInput',
  'Task/Create': 'createTask',
  'Task/Start': 'startTask',
  'Task/Wait': 'waitTask',
  'Task/Delete': 'deleteTask',
  'Task/Kill': 'killTask',
  'Task/State': 'task',
  'Task/Connect': 'connect',
  'Task/Exec': 'exec',
  'Task/Pids': 'pids',
  'Task/ResizePty': 'resizeTerminal',
  'Task/CloseIO': 'closeInput',
  'Task/Shutdown': 'leave',
  'Events/Subscribe': 'events',
  'Events/Forward': 'passOn',
  'Events/Publish': 'publish',
  'Version/Version': 'version',
  'Health/Check': 'health',
  'Introspection/Plugins': 'plugins',
};

/** `POST /v1.50/containers/3f9c…/start?x=1` → `POST /containers/3f9c…/start`. */
const withoutVersionAndQuery = (summary: string): string =>
  summary.replace(/ \/v\d+\.\d+\//, ' /').replace(/\?.*$/, '');

/** What follows "asks X to", or null for a request that nobody wrote words for. */
export const purposeOf = (summary: string): string | null => {
  const line = withoutVersionAndQuery(summary);
  const route = HTTP.find(([pattern]) => pattern.test(line));
  if (route) return t().purposes[route[1]];
  const method = /([A-Za-z]+)\/([A-Za-z]+)$/.exec(line);
  const purpose = method ? RPC[`${method[1]}/${method[2]}`] : undefined;
  return purpose === undefined ? null : t().purposes[purpose];
};

const ID = /[0-9a-f]{64}/g;

/** Short enough for a label on a moving token: `POST /containers/3f9c1d2e4b5a/start`, `Tasks/Create`. */
export const shortSummary = (summary: string): string =>
  withoutVersionAndQuery(summary)
    .replace(/ answered$/, ' done')
    .replace(ID, (id) => id.slice(0, 6) + '…')
    .replace(/^(?:[a-z]+\.)*(?:[a-z]+[0-9]*\.)*([A-Z][A-Za-z]+\/[A-Z])/, '$1');
