/** The presenter's store as React sees it. */
import { useStore } from 'zustand';
import { presentStore, type PresentState } from './present-store.ts';

export const usePresent = <T>(selector: (state: PresentState) => T): T =>
  useStore(presentStore, selector);
