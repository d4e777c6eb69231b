/** The files of `deploy/` against the repository: no image is built here, but what they name has to exist and fit. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { parseOptions } from '../apps/engine/src/lab/options.ts';

const read = (path: string): string => readFileSync(path, 'utf8');

const Environment = z.array(z.object({ name: z.string(), value: z.string().optional() }));
const Container = z.object({
  name: z.string(),
  image: z.string(),
  env: Environment.default([]),
  ports: z.array(z.object({ name: z.string().optional(), containerPort: z.number() })),
  securityContext: z.record(z.string(), z.unknown()),
  resources: z.object({ limits: z.object({ cpu: z.string(), memory: z.string() }) }),
  readinessProbe: z.object({ tcpSocket: z.object({ port: z.string() }) }).optional(),
});
const Workload = z.object({
  kind: z.enum(['Deployment', 'StatefulSet']),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.object({
        automountServiceAccountToken: z.literal(false),
        containers: z.array(Container).length(1),
      }),
    }),
  }),
});

const objects = parseAllDocuments(read('deploy/kubernetes.yaml')).map((document): unknown => {
  expect(document.errors).toEqual([]);
  return document.toJS() as unknown;
});
const workloads = objects.flatMap((object) => {
  const kind = z.object({ kind: z.string() }).parse(object).kind;
  return kind === 'Deployment' || kind === 'StatefulSet' ? [Workload.parse(object)] : [];
});
const containerOf = (name: string): z.output<typeof Container> => {
  const found = workloads.find(({ metadata }) => metadata.name === name);
  return found!.spec.template.spec.containers[0]!;
};

/** As Kubernetes does it: `$(NAME)` is the variable that stands before. */
const optionsOf = (env: z.output<typeof Environment>) =>
  parseOptions(
    [],
    Object.fromEntries(
      env.map(({ name, value }) => [name, value?.replaceAll(/\$\((\w+)\)/g, 'secret')]),
    ),
    true,
  );

test('each workload selects its own pods, and each service finds some', () => {
  expect(workloads.map(({ metadata }) => metadata.name)).toEqual(['broker', 'engine', 'followers']);
  for (const { spec } of workloads)
    expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
  const Service = z.object({
    kind: z.literal('Service'),
    spec: z.object({
      selector: z.record(z.string(), z.string()),
      ports: z.array(z.object({ port: z.number(), targetPort: z.string().optional() })),
    }),
  });
  const services = objects.flatMap((object) => {
    const { success, data } = Service.safeParse(object);
    return success ? [data.spec] : [];
  });
  expect(services).toHaveLength(2);
  for (const { selector, ports } of services) {
    const behind = workloads.filter(({ spec }) =>
      Object.entries(selector).every(([key, is]) => spec.template.metadata.labels[key] === is),
    );
    expect(behind.length).toBeGreaterThan(0);
    for (const { spec } of behind) {
      const [container] = spec.template.spec.containers;
      for (const { port, targetPort } of ports)
        expect(
          container?.ports.some(({ name, containerPort }) =>
            targetPort === undefined ? containerPort === port : name === targetPort,
          ),
        ).toBe(true);
    }
  }
});

test('only the engine has rights of the node, and says so', () => {
  expect(containerOf('engine').securityContext).toEqual({ privileged: true });
  for (const name of ['broker', 'followers'])
    expect(containerOf(name).securityContext).toMatchObject({
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
});

test('the lab understands every option, and listens where the ports say', () => {
  for (const name of ['engine', 'followers']) {
    const { env, ports } = containerOf(name);
    const options = optionsOf(env);
    expect(options?.bus).toBe('nats://lab:secret@broker:4222');
    expect(options?.audience).toEqual({ host: '0.0.0.0', port: 7080 });
    expect(ports.find((port) => port.name === 'audience')?.containerPort).toBe(7080);
  }
  const Compose = z.object({
    services: z.object({
      'engine-room': z.object({
        build: z.object({ context: z.string(), dockerfile: z.string() }),
        environment: z.record(z.string(), z.string()),
        ports: z.array(z.string()),
        volumes: z.array(z.string()),
      }),
    }),
  });
  const compose = Compose.parse(parse(read('deploy/compose.yaml'))).services['engine-room'];
  const env = Object.entries(compose.environment).map(([name, value]) => ({
    name,
    value: value.replace(/^\$\{\w+:-(.*)\}$/, '$1'),
  }));
  expect(optionsOf(env)).toMatchObject({ audience: { port: 7080 } });
  // The page, with its token, stays on the machine.
  expect(compose.ports).toEqual(['127.0.0.1:7070:7070', '7080:7080']);
  expect(compose.volumes).toEqual(['engine-room:/var/lib/engine-room']);
  expect(existsSync(compose.build.dockerfile)).toBe(true);
});

test('what the image copies and starts is there', () => {
  const dockerfile = read('deploy/Dockerfile');
  const [, entry = ''] = /ENTRYPOINT \["tini", "--", "([^"]+)"\]/.exec(dockerfile) ?? [];
  expect(existsSync(entry)).toBe(true);
  expect(read(entry)).toContain('exec apps/engine/bin/lab');
  expect(dockerfile).toContain(optionsOf([])?.dataRoot);
});
