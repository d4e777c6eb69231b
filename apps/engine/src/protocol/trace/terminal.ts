/**
 * What travels over the lab's WebSocket for a terminal: the page opens one with a command line, sends what is typed and
 * how large it is, and gets what the program writes. The program's bytes are binary frames, everything else is JSON.
 */
export type TerminalWord =
  | {
      readonly type: 'open';
      /** `docker exec -it NAME COMMAND…` */
      readonly command: string;
      readonly columns: number;
      readonly rows: number;
    }
  | { readonly type: 'input'; readonly text: string }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number };

export type TerminalAnswer =
  /** The exec's own story is this trace. */
  | { readonly type: 'opened'; readonly traceId: string }
  | { readonly type: 'refused'; readonly message: string }
  /** Why it is over; `code` is null when nobody could ask for it. */
  | { readonly type: 'over'; readonly code: number | null; readonly reason: TerminalEnd };

export type TerminalEnd = 'exited' | 'idle' | 'too much output' | 'too much input' | 'engine lost';
