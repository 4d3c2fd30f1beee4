import { describe, expect, it } from 'vitest';
import type { LdapServer } from './connection-config.js';
import { HeldConnections } from './held-connections.js';
import type { LdapConnection } from './ldap-connection.js';
import type { Liveness } from './liveness.js';

/** Two connections are wanted; `open` adds one more. */
function holding() {
  const held = new HeldConnections(2);
  const retired: (string | undefined)[] = [];
  const open = (): LdapConnection => {
    const connection = {
      isUsable: true,
      underWay: 0,
      retire(why?: string): void {
        connection.isUsable = false;
        retired.push(why);
      },
    };
    const opened = connection as unknown as LdapConnection;
    held.add({ connection: opened, server: {} as LdapServer, liveness: { end: () => undefined } as unknown as Liveness });
    return opened;
  };
  const end = (connection: LdapConnection): void => held.remove(held.of(connection)!);
  return { held, retired, open, end };
}

describe('HeldConnections', () => {
  it('retires the oldest beyond those that are wanted', () => {
    const { held, retired, open } = holding();
    const opened = [open(), open(), open(), open()];
    expect(opened.map(({ isUsable }) => isUsable)).toEqual([false, false, true, true]);
    expect(retired).toEqual([undefined, undefined]);
    expect(held.isShort).toBe(false);
  });

  it('sends whoever lost one to a connection that was opened after it was lost, and not after it was missed', () => {
    const { held, open, end } = holding();
    const [first] = [open(), open()];
    end(first);
    expect(held.next(first)).toBeUndefined();
    const third = open();
    for (let search = 0; search < 3; search++) expect(held.next(first)?.connection).toBe(third);
  });

  it('uses a doubted one where there is no other, until another takes its place', () => {
    const { held, retired, open } = holding();
    const [first, second] = [open(), open()];
    held.doubt(first, 'busy');
    expect([held.isShort, held.next()?.connection, held.lastResort()?.connection]).toEqual([true, second, second]);
    held.doubt(second, 'slow');
    expect(held.next()).toBeUndefined();
    expect([first, second]).toContain(held.lastResort()?.connection);
    expect(retired).toEqual([]);
    const third = open();
    expect(retired).toEqual(['busy', 'slow']);
    expect(held.next(second)?.connection).toBe(third);
  });
});
