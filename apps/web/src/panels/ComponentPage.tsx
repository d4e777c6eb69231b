/** What an actor is and why it exists: its page from content/components/. */
import client from '../../../../content/components/client.md?raw';
import container from '../../../../content/components/container.md?raw';
import containerd from '../../../../content/components/containerd.md?raw';
import docker from '../../../../content/components/docker.md?raw';
import dockerd from '../../../../content/components/dockerd.md?raw';
import kernel from '../../../../content/components/kernel.md?raw';
import runc from '../../../../content/components/runc.md?raw';
import shim from '../../../../content/components/shim.md?raw';
import '../styles/inspector-more.css';
import type { StageActor } from '../model/actors.ts';
import { Prose } from './Prose.tsx';

const PAGES: Readonly<Record<StageActor, string>> = {
  docker,
  client,
  dockerd,
  containerd,
  shim,
  runc,
  container,
  kernel,
};

export const ComponentPage = ({ actor }: { actor: StageActor }) => {
  const page = PAGES[actor];
  return (
    <section className="component-page" aria-labelledby="component-title">
      <h3 id="component-title">{page.slice(2, page.indexOf('\n'))}</h3>
      <Prose markdown={page} />
    </section>
  );
};
