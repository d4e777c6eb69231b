/** The part of framer-motion that the page uses, in a chunk of its own. */
export { domMin as features } from 'framer-motion';
