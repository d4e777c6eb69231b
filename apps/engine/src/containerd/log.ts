/** Log lines on stderr as containerd writes them: `time="…" level=info msg="…" id=…`. */

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LEVELS)[number];
type Fields = Readonly<Record<string, string | number | boolean>>;

export const isLogLevel = (text: string): text is LogLevel =>
  (LEVELS as readonly string[]).includes(text);

export class Log {
  readonly level: LogLevel;

  constructor(level: LogLevel) {
    this.level = level;
  }

  /** True when shims are to be told to be talkative. */
  get isDebug(): boolean {
    return LEVELS.indexOf(this.level) <= LEVELS.indexOf('debug');
  }

  debug(message: string, fields: Fields = {}): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields: Fields = {}): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields: Fields = {}): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields: Fields = {}): void {
    this.#write('error', message, fields);
  }

  #write(level: LogLevel, message: string, fields: Fields): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.level)) return;
    const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
    const time = new Date().toISOString();
    process.stderr.write(
      `time="${time}" level=${level} msg=${JSON.stringify(message)}${pairs.join('')}\n`,
    );
  }
}
