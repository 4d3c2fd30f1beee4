import { readFile } from 'node:fs/promises';

export interface RuntimeUser {
  readonly uid: number;
  readonly gid: number;
}

const nobody: RuntimeUser = { uid: 65534, gid: 65534 };

/**
 * Whom PostgreSQL runs as; undefined means as ourselves. It refuses only user 0, so root uses the user `postgres` where there is one
 * and `nobody` elsewhere: no user is ever created.
 */
export async function runtimeUser(): Promise<RuntimeUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, , uid, gid] = /^postgres:.*$/m.exec(passwd)?.[0].split(':') ?? [];
  const user = { uid: Number(uid), gid: Number(gid) };
  return Number.isInteger(user.uid) && Number.isInteger(user.gid) && user.uid > 0 ? user : nobody;
}
