/** The page: one request, one stage, one caption, one clock. */
import { Suspense, useEffect, useState, type ReactNode } from 'react';
import { useStore } from 'zustand';
import { lazy } from './lazy.ts';
import { languageStore, t } from './messages/catalogue.ts';
import { PHONE } from './breakpoints.ts';
import { useMedia, useModelVersion, usePlayhead, useReader } from './hooks.ts';
import { Caption } from './panels/Caption.tsx';
import { CommandBar } from './panels/CommandBar.tsx';
import { ContainerOutput } from './panels/ContainerOutput.tsx';
import { Dock } from './panels/Dock.tsx';
import { Footer } from './panels/Footer.tsx';
import { Header } from './panels/Header.tsx';
import { Inspector } from './panels/Inspector.tsx';
import { RunList } from './panels/RunList.tsx';
import { LessonTabs } from './lessons/LessonTabs.tsx';
import { StageArea } from './stage/StageArea.tsx';
import { ActorList } from './stage/ActorList.tsx';
import { usePresent } from './rooms/use-present.ts';
import { resumeRoom } from './rooms/start.ts';
import { listenToKeys } from './shortcuts.ts';
import type { DialogName } from './reader-store.ts';

const ShortcutsDialog = lazy(() =>
  import('./panels/ShortcutsDialog.tsx').then(({ ShortcutsDialog: component }) => ({
    default: component,
  })),
);

const Palette = lazy(() =>
  import('./palette/Palette.tsx').then(({ Palette: component }) => ({ default: component })),
);
const CompareDialog = lazy(() =>
  import('./panels/CompareDialog.tsx').then(({ CompareDialog: component }) => ({
    default: component,
  })),
);
const GateDialog = lazy(() =>
  import('./panels/GateDialog.tsx').then(({ GateDialog: component }) => ({ default: component })),
);
const BreakDialog = lazy(() =>
  import('./panels/BreakDialog.tsx').then(({ BreakDialog: component }) => ({
    default: component,
  })),
);

const PresentPanel = lazy(() =>
  import('./rooms/PresentPanel.tsx').then(({ PresentPanel: component }) => ({
    default: component,
  })),
);
const ProjectorPage = lazy(() =>
  import('./panels/ProjectorPage.tsx').then(({ ProjectorPage: component }) => ({
    default: component,
  })),
);
const MirrorView = lazy(() =>
  import('./rooms/MirrorView.tsx').then(({ MirrorView: component }) => ({ default: component })),
);

const HeldCard = lazy(() =>
  import('./panels/HeldCard.tsx').then(({ HeldCard: component }) => ({ default: component })),
);
const VerdictCard = lazy(() =>
  import('./panels/VerdictCard.tsx').then(({ VerdictCard: component }) => ({
    default: component,
  })),
);

/** What most runs never need: somebody who is held, and what became of a fault. */
const Cards = () => {
  useModelVersion();
  const isHeld = usePlayhead(
    ({ model }) => Object.keys(model.machineAt(model.length).held).length > 0,
  );
  const isBroken = usePlayhead(({ model, n }) => model.machineAt(n).fault !== null);
  return (
    <Suspense>
      {isHeld && <HeldCard />}
      {isBroken && <VerdictCard />}
    </Suspense>
  );
};

const LessonRoom = lazy(() =>
  import('./lessons/LessonRoom.tsx').then(({ LessonRoom: component }) => ({ default: component })),
);

/** Loaded when it is first opened, and kept: a dialog that closes gives the focus back. */
const WhenOpened = ({ name, children }: { name: DialogName; children: ReactNode }) => {
  const isOpen = useReader(({ dialog }) => dialog === name);
  const [wasOpened, setWasOpened] = useState(false);
  if (isOpen && !wasOpened) setWasOpened(true);
  return <Suspense>{wasOpened && children}</Suspense>;
};

const Dialogs = () => (
  <>
    <WhenOpened name="palette">
      <Palette />
    </WhenOpened>
    <WhenOpened name="keys">
      <ShortcutsDialog />
    </WhenOpened>
    <WhenOpened name="break">
      <BreakDialog />
    </WhenOpened>
    <WhenOpened name="compare">
      <CompareDialog />
    </WhenOpened>
    <WhenOpened name="gates">
      <GateDialog />
    </WhenOpened>
  </>
);

export const App = () => {
  const isPhone = useMedia(PHONE);
  const isLearning = useReader(({ lesson }) => lesson !== null);
  const language = useStore(languageStore, (state) => state.language);
  const isPresenting = usePresent(
    ({ opened, isOpening, problem, others }) =>
      opened !== null || isOpening || problem !== null || others.length > 0,
  );
  const isMirror = usePresent((state) => state.isMirror);
  const isProjector = useReader((state) => state.isProjector) && !isPhone;
  useEffect(listenToKeys, []);
  useEffect(resumeRoom, []);
  if (isMirror)
    return (
      <>
        <Suspense>
          <MirrorView key={language} />
        </Suspense>
        <Dialogs />
      </>
    );
  if (isProjector)
    return (
      <>
        <Suspense>
          <ProjectorPage key={language} aside={<Cards />} />
        </Suspense>
        <Dialogs />
      </>
    );
  return (
    <div className="page" key={language}>
      <Header />
      <CommandBar />
      {isPhone && isLearning && <LessonTabs />}
      <main className="rooms" data-learning={isLearning || undefined}>
        <div className="room room-stage">
          {isPhone ? (
            <>
              <Caption mayCatchUp />
              <Cards />
              <ActorList />
            </>
          ) : (
            <>
              <StageArea />
              <Caption mayCatchUp />
            </>
          )}
        </div>
        <div className="room room-runs">
          {isLearning && (
            <Suspense fallback={<p className="muted">{t().loadingLessons}</p>}>
              <LessonRoom />
            </Suspense>
          )}
          <ContainerOutput />
          {!isLearning && <RunList />}
        </div>
        <div className="room room-inspector">
          {isPresenting && (
            <Suspense>
              <PresentPanel />
            </Suspense>
          )}
          {!isPhone && <Cards />}
          <Inspector />
        </div>
      </main>
      <Dock />
      <Footer />
      <Dialogs />
    </div>
  );
};
