/** For people with one screen: the presenter's own page as the projected view, driven by keyboard alone. */
import { joinUrl } from './present-store.ts';
import { ProjectedView } from './ProjectedView.tsx';
import { usePresent } from './use-present.ts';

export const MirrorView = () => {
  const opened = usePresent((state) => state.opened);
  const poll = usePresent(({ room }) => room?.poll ?? null);
  if (!opened) return null;
  return <ProjectedView code={opened.code} url={joinUrl(opened)} poll={poll} />;
};
