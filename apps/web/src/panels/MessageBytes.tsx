/** The decoded message beside its bytes. Point at a field and its bytes are underlined, and the other way round. */
import { useMemo, useState } from 'react';
import type { RawBytes } from '@engine-room/engine/protocol/trace/event.ts';
import { t } from '../messages/catalogue.ts';
import { bytesOf, linkBytes } from '../model/byte-links.ts';
import { sizeWords } from '../model/time-words.ts';
import { HexView } from './HexView.tsx';
import { JsonTree } from './JsonTree.tsx';

export const MessageBytes = ({ body, raw }: { body: unknown; raw: RawBytes | null }) => {
  const [path, setPath] = useState<string | null>(null);
  const bytes = useMemo(() => bytesOf(raw?.base64 ?? ''), [raw]);
  const links = useMemo(() => linkBytes(body, bytes), [body, bytes]);
  const linked = useMemo(() => new Set(links.map((link) => link.path)), [links]);
  return (
    <>
      {body !== null && (
        <>
          <h3>{t().inspector.decoded}</h3>
          <div className="evidence">
            <JsonTree value={body} pointed={path} linked={linked} onPoint={setPath} />
          </div>
        </>
      )}
      {raw && bytes.length > 0 && (
        <>
          <h3>{t().inspector.bytes}</h3>
          <HexView bytes={bytes} links={links} pointed={path} onPoint={setPath} />
          {raw.truncated && (
            <p className="muted">
              {t().inspector.firstBytes(sizeWords(bytes.length), sizeWords(raw.sizeBytes))}
            </p>
          )}
        </>
      )}
    </>
  );
};
