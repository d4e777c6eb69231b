/**
 * One act, four spellings: the command line, curl, the Go SDK and TypeScript. Made from the request as it crossed the
 * socket: its method, its path and its body, so that whoever runs one of them asks for the same thing.
 */
import type { Message } from '@engine-room/engine/protocol/trace/event.ts';
import type { RunModel } from './run-model.ts';

export interface FourForms {
  /** The command that led to the request; null when the client was no docker command. */
  readonly cli: string | null;
  readonly curl: string;
  readonly go: string;
  readonly typescript: string;
}

/** The request to dockerd that the event is, or that it goes back to. */
export const requestBehind = (model: RunModel, id: string | null): Message | null => {
  const seen = new Set<string>();
  for (let at = id; at !== null && !seen.has(at);) {
    seen.add(at);
    const event = model.placed(at)?.event;
    if (!event) return null;
    const isRequest =
      event.type === 'message' &&
      event.protocol === 'http' &&
      event.direction === 'request' &&
      event.to.actor === 'dockerd';
    if (isRequest) return event;
    at = event.cause;
  }
  return null;
};

export const fourForms = (
  { summary, body }: Pick<Message, 'summary' | 'body'>,
  context: { readonly argv: readonly string[] | null; readonly socket: string },
): FourForms | null => {
  const match = /^([A-Z]+) (\/\S*)/.exec(summary);
  const [, method, path] = match ?? [];
  if (method === undefined || path === undefined) return null;
  const json = body === null || body === undefined ? null : JSON.stringify(body);
  const request = { method, path, json, ...context };
  return {
    cli: context.argv ? context.argv.map(shellWord).join(' ') : null,
    curl: curlOf(request),
    go: goOf(request),
    typescript: typescriptOf(request),
  };
};

interface Request {
  readonly method: string;
  readonly path: string;
  readonly json: string | null;
  readonly socket: string;
}

const shellWord = (word: string): string =>
  /^[\w./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

function curlOf({ method, path, json, socket }: Request): string {
  const lines = [
    `curl --unix-socket ${shellWord(socket)}`,
    method === 'HEAD' ? '--head' : `-X ${method}`,
    ...(json === null ? [] : [`-H 'Content-Type: application/json'`, `-d ${shellWord(json)}`]),
    shellWord(`http://localhost${path}`),
  ];
  return lines.join(' \\\n  ');
}

function typescriptOf({ method, path, json, socket }: Request): string {
  return [
    `import { request } from 'node:http';`,
    ``,
    `const call = request({`,
    `  socketPath: ${JSON.stringify(socket)},`,
    `  method: ${JSON.stringify(method)},`,
    `  path: ${JSON.stringify(path)},`,
    ...(json === null ? [] : [`  headers: { 'Content-Type': 'application/json' },`]),
    `}, (answer) => answer.pipe(process.stdout));`,
    json === null ? `call.end();` : `call.end(${JSON.stringify(json)});`,
  ].join('\n');
}

/** The SDK's method for a route; `%` stands for the id or name in the path. */
const GO: readonly (readonly [RegExp, string])[] = [
  [/^(?:GET|HEAD) \/_ping/, 'cli.Ping(ctx)'],
  [/^GET \/version/, 'cli.ServerVersion(ctx)'],
  [/^GET \/info/, 'cli.Info(ctx)'],
  [/^GET \/containers\/json/, 'cli.ContainerList(ctx, container.ListOptions{})'],
  [/^POST \/containers\/create/, 'cli.ContainerCreate(ctx, &config, &hostConfig, nil, nil, name)'],
  [
    /^POST \/containers\/([^/]+)\/attach/,
    'cli.ContainerAttach(ctx, %, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})',
  ],
  [
    /^POST \/containers\/([^/]+)\/wait/,
    'cli.ContainerWait(ctx, %, container.WaitConditionNextExit)',
  ],
  [/^POST \/containers\/([^/]+)\/start/, 'cli.ContainerStart(ctx, %, container.StartOptions{})'],
  [/^POST \/containers\/([^/]+)\/stop/, 'cli.ContainerStop(ctx, %, container.StopOptions{})'],
  [/^POST \/containers\/([^/]+)\/kill/, 'cli.ContainerKill(ctx, %, "SIGKILL")'],
  [
    /^GET \/containers\/([^/]+)\/logs/,
    'cli.ContainerLogs(ctx, %, container.LogsOptions{ShowStdout: true, ShowStderr: true})',
  ],
  [/^GET \/containers\/([^/]+)\/json/, 'cli.ContainerInspect(ctx, %)'],
  [/^DELETE \/containers\/([^/]+)/, 'cli.ContainerRemove(ctx, %, container.RemoveOptions{})'],
  [/^GET \/images\/json/, 'cli.ImageList(ctx, image.ListOptions{})'],
  [/^GET \/images\/(.+)\/json/, 'cli.ImageInspect(ctx, %)'],
];

function goOf({ method, path, json, socket }: Request): string {
  const line = `${method} ${path.replace(/^\/v\d+\.\d+\//, '/').replace(/\?.*$/, '')}`;
  const opening = [
    `cli, err := client.NewClientWithOpts(`,
    `    client.WithHost(${JSON.stringify(`unix://${socket}`)}),`,
    `    client.WithAPIVersionNegotiation())`,
    `if err != nil { panic(err) }`,
  ];
  for (const [pattern, call] of GO) {
    const found = pattern.exec(line);
    if (!found) continue;
    const named = call.replace('%', JSON.stringify(decodeURIComponent(found[1] ?? '')));
    const setUp =
      json !== null && call.includes('&config')
        ? [
            `var config container.Config`,
            `var hostConfig container.HostConfig`,
            `body := []byte(${goText(json)})`,
            `json.Unmarshal(body, &config)`,
            `json.Unmarshal(body, &struct{ HostConfig *container.HostConfig }{&hostConfig})`,
            `name := ${JSON.stringify(new URLSearchParams(path.split('?')[1] ?? '').get('name') ?? '')}`,
          ]
        : [];
    return [...opening, ...setUp, `result, err := ${named}`].join('\n');
  }
  return [
    `// The SDK has no method of its own for this route that we know of; it is plain HTTP.`,
    `http := &http.Client{Transport: &http.Transport{DialContext: dialUnix(${JSON.stringify(socket)})}}`,
    `request, _ := http.NewRequest(${JSON.stringify(method)}, ${JSON.stringify(`http://localhost${path}`)}, ${json === null ? 'nil' : `strings.NewReader(${goText(json)})`})`,
    `answer, err := http.Do(request)`,
  ].join('\n');
}

/** A raw string where that is possible, so that JSON stays readable. */
const goText = (text: string): string =>
  text.includes('`') ? JSON.stringify(text) : `\`${text}\``;
