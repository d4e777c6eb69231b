/**
 * xterm.js writes its rules into style elements, and the page's Content-Security-Policy lets none of them work. While a
 * terminal opens, its style elements are stand-ins that hand their text to constructed style sheets, which are allowed.
 */
export const withoutStyleElements = (open: () => void): void => {
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) =>
    name === 'style' ? standIn(create('span')) : create(name, options)) as typeof create;
  try {
    open();
  } finally {
    // The method of the prototype again.
    Reflect.deleteProperty(document, 'createElement');
  }
};

const standIn = (element: HTMLElement): HTMLElement => {
  const sheet = new CSSStyleSheet();
  element.hidden = true;
  Object.defineProperty(element, 'textContent', {
    set: (css: string) => {
      sheet.replaceSync(css);
    },
  });
  const remove = element.remove.bind(element);
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    remove();
  };
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return element;
};
