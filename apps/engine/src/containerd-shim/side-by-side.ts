/**
 * The template of shims puts its memory in one place, before there is much of it: this comes before the program itself,
 * which V8 compiles as a whole (bin/containerd-shim-engineroom-v2), and so it is a bundle of its own.
 */
import { findBuild, loadAddon } from '../native/find.ts';

loadAddon(findBuild()).mapSideBySide();
