/** Following, as React sees it. */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { followStore, startFollowing, type FollowState } from './follow.ts';

export const useFollow = <T>(selector: (state: FollowState) => T): T =>
  useStore(followStore, selector);

export const useFollowing = (code: string, as: 'device' | 'screen'): void => {
  useEffect(() => startFollowing(code, as), [code, as]);
};
