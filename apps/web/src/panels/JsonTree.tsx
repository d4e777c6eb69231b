/** A decoded message as a list of fields that opens and closes. Fields with known bytes can be pointed at. */
import { t } from '../messages/catalogue.ts';

interface JsonTreeProps {
  readonly value: unknown;
  readonly path?: string;
  /** The field that is pointed at, here or in the bytes. */
  readonly pointed: string | null;
  readonly linked: ReadonlySet<string>;
  readonly onPoint: (path: string | null) => void;
}

const OPEN_DEPTH = 2;
const FIELDS_SHOWN = 60;

export const JsonTree = ({ value, path = '', ...pointing }: JsonTreeProps) => {
  if (typeof value !== 'object' || value === null)
    return <Leaf value={value} path={path} {...pointing} />;
  const fields = Object.entries(value);
  if (fields.length === 0)
    return <span className="json-leaf">{Array.isArray(value) ? '[]' : '{}'}</span>;
  return (
    <ul className="json">
      {fields.slice(0, FIELDS_SHOWN).map(([key, child]) => (
        <Field
          key={key}
          name={key}
          value={child}
          path={path === '' ? key : `${path}.${key}`}
          {...pointing}
        />
      ))}
      {fields.length > FIELDS_SHOWN && (
        <li className="muted">{t().inspector.more(fields.length - FIELDS_SHOWN)}</li>
      )}
    </ul>
  );
};

type Pointing = Pick<JsonTreeProps, 'pointed' | 'linked' | 'onPoint'>;

const Field = ({
  name,
  value,
  path,
  ...pointing
}: { name: string; value: unknown; path: string } & Pointing) => {
  const isBranch = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  if (!isBranch) {
    return (
      <li>
        <span className="json-key">{name}</span> <Leaf value={value} path={path} {...pointing} />
      </li>
    );
  }
  return (
    <li>
      <details open={path.split('.').length < OPEN_DEPTH}>
        <summary>
          <span className="json-key">{name}</span>{' '}
          <span className="muted">
            {Array.isArray(value) ? t().inspector.items(value.length) : ''}
          </span>
        </summary>
        <JsonTree value={value} path={path} {...pointing} />
      </details>
    </li>
  );
};

const Leaf = ({
  value,
  path,
  pointed,
  linked,
  onPoint,
}: { value: unknown; path: string } & Pointing) => {
  const words = typeof value === 'string' ? (value === '' ? '""' : value) : String(value);
  if (!linked.has(path)) return <span className="json-leaf">{words}</span>;
  return (
    <button
      type="button"
      className="json-leaf json-linked"
      aria-pressed={pointed === path}
      onPointerEnter={() => onPoint(path)}
      onPointerLeave={() => onPoint(null)}
      onFocus={() => onPoint(path)}
      onBlur={() => onPoint(null)}
    >
      {words}
    </button>
  );
};
