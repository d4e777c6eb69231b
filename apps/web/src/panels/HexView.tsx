/** Bytes in rows of eight: offset, hexadecimal, text. */
import { t } from '../messages/catalogue.ts';
import type { ByteLink } from '../model/byte-links.ts';

interface HexViewProps {
  readonly bytes: Uint8Array;
  readonly links: readonly ByteLink[];
  readonly pointed: string | null;
  readonly onPoint: (path: string | null) => void;
}

const ROW = 8;
const ROWS_SHOWN = 64;

export const HexView = ({ bytes, links, pointed, onPoint }: HexViewProps) => {
  const rows = Math.min(ROWS_SHOWN, Math.ceil(bytes.length / ROW));
  const link = pointed === null ? undefined : links.find(({ path }) => path === pointed);
  const pathAt = (index: number): string | null =>
    links.find(({ start, end }) => index >= start && index < end)?.path ?? null;
  return (
    <div
      className="hex evidence"
      tabIndex={0}
      role="group"
      aria-label={t().inspector.byteCount(bytes.length)}
      onPointerLeave={() => onPoint(null)}
    >
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="hex-row">
          <span className="hex-offset">{(row * ROW).toString(16).padStart(4, '0')}</span>
          {[...bytes.subarray(row * ROW, row * ROW + ROW)].map((byte, column) => {
            const index = row * ROW + column;
            const isLit = link !== undefined && index >= link.start && index < link.end;
            return (
              <span
                key={column}
                className="hex-byte"
                data-lit={isLit}
                onPointerEnter={() => onPoint(pathAt(index))}
              >
                {byte.toString(16).padStart(2, '0')}
              </span>
            );
          })}
          <span className="hex-text" aria-hidden="true">
            {[...bytes.subarray(row * ROW, row * ROW + ROW)].map((byte, column) => {
              const index = row * ROW + column;
              const isLit = link !== undefined && index >= link.start && index < link.end;
              return (
                <span key={column} data-lit={isLit}>
                  {byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'}
                </span>
              );
            })}
          </span>
        </div>
      ))}
      {bytes.length > ROWS_SHOWN * ROW && (
        <p className="muted">{t().inspector.moreBytes(bytes.length - ROWS_SHOWN * ROW)}</p>
      )}
    </div>
  );
};
