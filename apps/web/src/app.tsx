/** The page: one request, one stage, one caption, one clock. */
import { LazyMotion, MotionConfig } from 'framer-motion';
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { PHONE } from './breakpoints.ts';
import { useMedia, useReader } from './hooks.ts';
import { loadMotion } from './motion.ts';
import { Caption } from './panels/Caption.tsx';
import { CommandBar } from './panels/CommandBar.tsx';
import { ContainerOutput } from './panels/ContainerOutput.tsx';
import { Dock } from './panels/Dock.tsx';
import { Footer } from './panels/Footer.tsx';
import { Header } from './panels/Header.tsx';
import { Inspector } from './panels/Inspector.tsx';
import { RunList } from './panels/RunList.tsx';
import { HeldCard } from './panels/HeldCard.tsx';
import { VerdictCard } from './panels/VerdictCard.tsx';
import { LessonTabs } from './lessons/LessonTabs.tsx';
import { StageArea } from './stage/StageArea.tsx';
import { ActorList } from './stage/ActorList.tsx';
import { usePresent } from './rooms/use-present.ts';
import { resumeRoom } from './rooms/start.ts';
import { listenToKeys } from './shortcuts.ts';

const ShortcutsDialog = lazy(() =>
  import('./panels/ShortcutsDialog.tsx').then(({ ShortcutsDialog: component }) => ({
    default: component,
  })),
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
const MirrorView = lazy(() =>
  import('./rooms/MirrorView.tsx').then(({ MirrorView: component }) => ({ default: component })),
);

const LessonRoom = lazy(() =>
  import('./lessons/LessonRoom.tsx').then(({ LessonRoom: component }) => ({ default: component })),
);

/** Loaded when it is first opened, and kept: a dialog that closes gives the focus back. */
const WhenOpened = ({ isOpen, children }: { isOpen: boolean; children: ReactNode }) => {
  const [wasOpened, setWasOpened] = useState(false);
  if (isOpen && !wasOpened) setWasOpened(true);
  return <Suspense>{wasOpened && children}</Suspense>;
};

const Dialogs = () => (
  <>
    <WhenOpened isOpen={useReader((state) => state.areShortcutsOpen)}>
      <ShortcutsDialog />
    </WhenOpened>
    <WhenOpened isOpen={useReader((state) => state.isBreakOpen)}>
      <BreakDialog />
    </WhenOpened>
    <WhenOpened isOpen={useReader((state) => state.isCompareOpen)}>
      <CompareDialog />
    </WhenOpened>
    <WhenOpened isOpen={useReader((state) => state.isGatesOpen)}>
      <GateDialog />
    </WhenOpened>
  </>
);

export const App = () => {
  const isPhone = useMedia(PHONE);
  const isLearning = useReader(({ lesson }) => lesson !== null);
  const isPresenting = usePresent(
    ({ opened, isOpening, problem }) => opened !== null || isOpening || problem !== null,
  );
  const isMirror = usePresent((state) => state.isMirror);
  useEffect(listenToKeys, []);
  useEffect(resumeRoom, []);
  if (isMirror)
    return (
      <LazyMotion features={loadMotion} strict>
        <MotionConfig reducedMotion="user">
          <Suspense>
            <MirrorView />
          </Suspense>
          <Dialogs />
        </MotionConfig>
      </LazyMotion>
    );
  return (
    <LazyMotion features={loadMotion} strict>
      <MotionConfig reducedMotion="user">
        <div className="page">
          <Header />
          <CommandBar />
          {isPhone && isLearning && <LessonTabs />}
          <main className="rooms" data-learning={isLearning || undefined}>
            <div className="room room-stage">
              {isPhone ? (
                <>
                  <Caption />
                  <ActorList />
                </>
              ) : (
                <>
                  <StageArea />
                  <Caption />
                </>
              )}
            </div>
            <div className="room room-runs">
              {isLearning && (
                <Suspense fallback={<p className="muted">Loading the lessons …</p>}>
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
              <HeldCard />
              <VerdictCard />
              <Inspector />
            </div>
          </main>
          <Dock />
          <Footer />
          <Dialogs />
        </div>
      </MotionConfig>
    </LazyMotion>
  );
};
