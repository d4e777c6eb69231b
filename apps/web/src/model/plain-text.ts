/** Text without what only a terminal understands: escape sequences and other control characters. */
export const plainText = (text: string): string =>
  text
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/\r\n/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '·');
