/** Rooms over a restart of the lab: one small file each, as secret as the lab's token. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../protocol/errdefs.ts';
import { ROOM_CODE } from '../../protocol/room/room.ts';
import type { SavedRoom } from './room.ts';

export class RoomFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  load(): readonly SavedRoom[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const code = name.replace(/\.json$/, '');
      if (!ROOM_CODE.test(code)) return [];
      try {
        return [JSON.parse(readFileSync(join(this.#folder, name), 'utf8')) as SavedRoom];
      } catch {
        // Cut off by a full disk: the presenter opens another room.
        return [];
      }
    });
  }

  save(room: SavedRoom): void {
    const path = this.#pathOf(room.code);
    try {
      writeFileSync(`${path}.tmp`, JSON.stringify(room), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
    } catch (error) {
      console.error(`lab: room ${room.code} is not kept over a restart: ${messageOf(error)}`);
    }
  }

  remove(code: string): void {
    rmSync(this.#pathOf(code), { force: true });
  }

  #pathOf(code: string): string {
    return join(this.#folder, `${code}.json`);
  }
}
