/**
 * Who may import whom. Each rule says why, so this file is also the documentation of the boundaries;
 * `scripts/boundary-canary.mjs` plants one bad import per rule and fails unless each is reported.
 *
 * The picture: commands flow right (web → dockerd → containerd → containerd-shim → runc → native),
 * the trace flows left (every process → lab → web), and the processes meet only as bytes.
 */
const PROCESSES = 'docker|dockerd|containerd|containerd-shim|runc|lab';
const TESTS = '\\.test\\.tsx?$|/testing/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'processes-meet-only-as-bytes',
      comment:
        'Two daemons of Docker share no code at run time: they meet on a socket, in argv or in an exit code. ' +
        'An import between two of our process folders would be a private shortcut that the real system does not have.',
      severity: 'error',
      from: { path: `^apps/engine/src/(${PROCESSES})/` },
      to: { path: `^apps/engine/src/(${PROCESSES})/`, pathNot: '^apps/engine/src/$1/' },
    },
    {
      name: 'protocol-imports-nothing-of-ours',
      comment:
        'protocol/ is what is said, complete in itself: types and validation that every process and the page can read.',
      severity: 'error',
      from: { path: '^apps/engine/src/protocol/' },
      to: {
        path: '^(apps|native|e2e|scripts|bench|content)/',
        pathNot: '^apps/engine/src/protocol/',
      },
    },
    {
      name: 'protocol-does-no-input-or-output',
      comment: 'The page runs protocol/ in a browser, so nothing of Node may stand in it.',
      severity: 'error',
      from: { path: '^apps/engine/src/protocol/', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'transport-knows-protocol-and-tracing',
      comment: 'transport/ is how it travels. It carries any message and so knows no process.',
      severity: 'error',
      from: { path: '^apps/engine/src/transport/' },
      to: {
        path: '^(apps|native|e2e|scripts)/',
        pathNot: '^apps/engine/src/(transport|tracing|protocol)/',
      },
    },
    {
      name: 'tracing-knows-protocol',
      comment: 'tracing/ is how it is watched. What watches must not depend on what is watched.',
      severity: 'error',
      from: { path: '^apps/engine/src/tracing/' },
      to: { path: '^(apps|native|e2e|scripts)/', pathNot: '^apps/engine/src/(tracing|protocol)/' },
    },
    {
      name: 'libcontainer-belongs-to-shim-and-runc',
      comment: 'Only the shim (in its own process) and runc (as a command) create containers.',
      severity: 'error',
      from: {
        path: '^(apps|e2e)/',
        pathNot: '^apps/engine/src/(libcontainer|runc|containerd-shim)/',
      },
      to: { path: '^apps/engine/src/libcontainer/' },
    },
    {
      name: 'libcontainer-knows-no-process',
      comment: 'The plan compiler is pure: an OCI config.json in, a list of steps out.',
      severity: 'error',
      from: { path: '^apps/engine/src/libcontainer/' },
      to: { path: `^apps/(web/|engine/src/(${PROCESSES})/)` },
    },
    {
      name: 'addon-behind-one-typed-face',
      comment:
        'One place loads the native addon and checks arguments; everybody else uses its types.',
      severity: 'error',
      from: { path: '^(apps|e2e)/', pathNot: '^apps/engine/src/native/' },
      to: { path: '^native/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'native-imports-nothing-of-ours',
      comment: 'native/ is the lowest floor; its types may name nothing above it.',
      severity: 'error',
      from: { path: '^native/', pathNot: '^native/test/' },
      to: { path: '^(apps|e2e)/' },
    },
    {
      name: 'dockerd-daemon-never-imports-api',
      comment: 'The API calls the daemon; the daemon does not know that HTTP exists.',
      severity: 'error',
      from: {
        path: '^apps/engine/src/dockerd/',
        pathNot: '^apps/engine/src/dockerd/(api/|main\\.ts$|server\\.ts$)',
      },
      to: { path: '^apps/engine/src/dockerd/api/' },
    },
    {
      name: 'containerd-stores-never-import-services',
      comment:
        'Services are the face of the socket; stores, snapshots and the runtime stand behind it.',
      severity: 'error',
      from: {
        path: '^apps/engine/src/containerd/',
        pathNot: '^apps/engine/src/containerd/(services/|main\\.ts$|server\\.ts$)',
      },
      to: { path: '^apps/engine/src/containerd/services/' },
    },
    {
      name: 'express-only-at-the-http-faces',
      comment:
        'Only the Docker Engine API and the lab speak HTTP to clients that we did not write.',
      severity: 'error',
      from: { path: '^(apps|e2e)/', pathNot: '^apps/engine/src/(dockerd/api|lab)/' },
      to: { path: 'node_modules/express/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ws-only-at-the-http-faces',
      comment:
        'A WebSocket is the way of the trace to the page, and one of the ways to attach to a container.',
      severity: 'error',
      from: { path: '^apps/', pathNot: '^apps/engine/src/(dockerd/api|lab)/' },
      to: { path: 'node_modules/ws/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'web-sees-only-protocol',
      comment:
        'The page draws the trace and nothing else; it never reaches into the engine for state.',
      severity: 'error',
      from: { path: '^apps/web/' },
      to: { path: '^(apps/engine|native)/', pathNot: '^apps/engine/src/protocol/' },
    },
    {
      name: 'engine-knows-no-page',
      comment: 'The engine runs with any client; the page is one of them.',
      severity: 'error',
      from: { path: '^apps/engine/' },
      to: { path: '^apps/web/' },
    },
    {
      name: 'model-and-trace-know-no-react',
      comment:
        'The fold is plain functions: the same state by playing, seeking, reversing, live and from a file.',
      severity: 'error',
      from: { path: '^apps/web/src/(model|trace)/', pathNot: TESTS },
      to: { path: 'node_modules/(@types/)?(react|react-dom|reactflow|@xyflow|framer-motion)/' },
    },
    {
      name: 'model-draws-nothing',
      comment:
        'Inside the page the arrow goes trace → model → stage, panels; playback → model. It never turns back.',
      severity: 'error',
      from: { path: '^apps/web/src/(model|trace|playback)/', pathNot: TESTS },
      to: { path: '^apps/web/src/(stage|panels|lessons|present|ui)/' },
    },
    {
      name: 'ui-has-no-domain-words',
      comment: 'A button knows nothing of Docker.',
      severity: 'error',
      from: { path: '^apps/web/src/ui/' },
      to: { path: '^apps/(engine/|web/src/(trace|playback|model|stage|panels|lessons|present)/)' },
    },
    {
      name: 'end-to-end-tests-are-clients',
      comment:
        'An end-to-end test sees what a user sees: sockets, commands and the page. It may read what is said, not the code.',
      severity: 'error',
      from: { path: '^e2e/' },
      to: { path: '^(apps|native)/', pathNot: '^apps/engine/src/protocol/' },
    },
    {
      name: 'content-holds-no-code',
      comment:
        'Lessons are text and data. The programs beside them are run as a reader would run them.',
      severity: 'error',
      from: { path: '^content/', pathNot: '^content/programs/' },
      to: {},
    },
    {
      name: 'no-test-in-product',
      comment: 'What ships does not import what tests it.',
      severity: 'error',
      from: { path: '^(apps|native)/', pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle has no first file to read.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-barrels',
      comment: 'An index file hides where a thing comes from.',
      severity: 'error',
      from: {},
      to: { path: '^(apps|native|e2e)/.*/index\\.tsx?$', pathNot: 'node_modules|/protocol/gen/' },
    },
    {
      name: 'no-drawer-folders',
      comment: 'A folder called utils, helpers, common or misc says nothing about what is in it.',
      severity: 'error',
      from: {},
      to: { path: '/(utils?|helpers?|common|misc|shared)/', pathNot: 'node_modules' },
    },
    {
      name: 'imports-resolve',
      comment: 'An import that leads nowhere is not checked by any other rule.',
      severity: 'error',
      from: {},
      // A peer that only `npm run test:peers` installs, with a lock file of its own.
      to: { couldNotResolve: true, pathNot: '/protocol/gen/|\\.css$|\\?|^testcontainers$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|build|coverage|test-results)/' },
    // `import type` is erased, yet it couples: a process may not even name another's types.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.css'],
    },
  },
};
