/**
 * xterm.js writes a colour that has no class of its own (24-bit colours, the selection) into a style attribute, and the
 * page's Content-Security-Policy lets none of these work. Through the CSS object model the same is allowed.
 */
const WRITES =
  /(\w+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{(\w+)\};`\)/g;

export const allowedColours = (code) => {
  const found = code.match(WRITES)?.length ?? 0;
  if (found !== 1)
    throw new Error(
      `xterm.js writes style attributes in ${found} places, not in the one that we know`,
    );
  return code.replace(WRITES, '$1.style.cssText+=`$${$2};`');
};

export const xtermColours = {
  name: 'xterm-colours',
  transform: {
    filter: { id: /@xterm[\\/]xterm[\\/]lib[\\/]xterm\.mjs$/ },
    handler: (code) => ({ code: allowedColours(code), map: null }),
  },
};
