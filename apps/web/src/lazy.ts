/** A component that is loaded when it is wanted, as React's own, but not given up at the first failure. */
import { lazy as lazyOnce } from 'react';
import { again } from './again.ts';

export const lazy: typeof lazyOnce = (load) => lazyOnce(() => again(load));
