/** What is known of one thing that sign-ins depend on. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  readonly remedy?: string;
}

/** The parts of GET /admin/health that are looked at. */
export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'notReady' | 'draining';
  readonly keys: readonly {
    readonly issuer: string;
    readonly state: 'fresh' | 'stale' | 'pinned' | 'missing';
    readonly keys: number;
    readonly usableUntil?: string;
    readonly lastError?: { readonly detail: string };
  }[];
  readonly secrets?: readonly { readonly reference: string; readonly readable: boolean }[];
  readonly store: { readonly kind: string; readonly state: string; readonly lastError?: { readonly detail: string } };
  readonly snapshot: {
    readonly origin: string;
    readonly mappings: number;
    readonly problems: readonly {
      readonly origin: string;
      readonly retained: boolean;
      readonly issues: readonly { readonly reason: string }[];
    }[];
    readonly file: string;
    readonly ageSeconds?: number;
  };
}

/** What POST /admin/v1/sources/{source}/test answers, with what GET /admin/v1/sources says of the source. */
export interface TestedSource extends Pick<ListedSource, 'name' | 'transport'> {
  readonly result: string;
  readonly reason?: string;
  readonly ms: number;
}

export function healthFindings({ status, keys, secrets = [], store, snapshot }: HealthReport): readonly Finding[] {
  return [
    readinessFinding(status),
    ...keys.map(keyFinding),
    ...secrets.map(secretFinding),
    storeFinding(store),
    ...snapshotFindings(snapshot),
  ];
}

function readinessFinding(status: HealthReport['status']): Finding {
  const check = 'readiness';
  if (status === 'notReady')
    return {
      check,
      state: 'failed',
      detail: 'this replica takes no sign-ins',
      remedy: 'Keys or mappings are missing: see the lines below.',
    };
  if (status === 'draining') return { check, state: 'warning', detail: 'this replica is shutting down' };
  return { check, state: 'ok', detail: 'takes sign-ins' };
}

function keyFinding({ issuer, state, keys, usableUntil, lastError }: HealthReport['keys'][number]): Finding {
  const check = `keys of ${issuer}`;
  if (state === 'fresh') return { check, state: 'ok', detail: `${keys} held` };
  const why = lastError === undefined ? '' : `: ${lastError.detail}`;
  const remedy =
    'Look at the way from the service to this address: DNS, proxy, firewall, and trust.ca where its certificate is of a private authority.';
  if (state === 'missing') return { check, state: 'failed', detail: `none could be fetched${why}`, remedy };
  const until = usableUntil === undefined ? '' : `, usable until ${usableUntil}`;
  return { check, state: 'warning', detail: `${state}${until}${why}`, remedy };
}

function secretFinding({ reference, readable }: { readonly reference: string; readonly readable: boolean }): Finding {
  const check = `secret ${reference}`;
  if (readable) return { check, state: 'ok', detail: 'can be read' };
  return {
    check,
    state: 'failed',
    detail: 'cannot be read',
    remedy: 'Set the variable, or look at the file’s path and rights; a file is read anew without a restart.',
  };
}

function storeFinding({ kind, state, lastError }: HealthReport['store']): Finding {
  const check = `store of the mappings (${kind})`;
  if (state === 'up') return { check, state: 'ok', detail: 'up' };
  return {
    check,
    state: 'warning',
    detail: lastError?.detail ?? state,
    remedy: 'Sign-ins go on by the mappings in force. Bring the store back before you publish.',
  };
}

function snapshotFindings({ origin, mappings, problems, file, ageSeconds }: HealthReport['snapshot']): readonly Finding[] {
  const check = 'snapshot of the mappings';
  const findings: Finding[] = [];
  if (origin === 'none')
    findings.push({
      check,
      state: 'failed',
      detail: 'there are no mappings',
      remedy: 'Bring the store back; without a snapshot file there is nothing to start with.',
    });
  else if (origin === 'file')
    findings.push({
      check,
      state: 'warning',
      detail: `${mappings} mappings of the snapshot file, ${ageSeconds ?? 0} s old`,
      remedy: 'The store could not be read since the start.',
    });
  else findings.push({ check, state: 'ok', detail: `${mappings} mappings in force` });
  if (file === 'failed')
    findings.push({
      check: 'snapshot file',
      state: 'warning',
      detail: 'cannot be written',
      remedy: 'Without it the service cannot start while the store is down. Look at the folder’s rights and space.',
    });
  if (file === 'none')
    findings.push({
      check: 'snapshot file',
      state: 'warning',
      detail: 'none is kept',
      remedy: 'Set snapshot.file, so that the service can start while the store is down.',
    });
  for (const { origin: mapping, retained, issues } of problems)
    findings.push({
      check: `mapping ${mapping}`,
      state: retained ? 'warning' : 'failed',
      detail: `${issues[0]?.reason ?? 'refused'}; ${retained ? 'its last revision stays in force' : 'its applications get no token'}`,
      remedy: 'claimbridge validate says what is wrong; publish a version that compiles.',
    });
  return findings;
}

/** What to do about a source that is down, by the stable reason. */
const sourceRemedies: Readonly<Record<string, string>> = {
  timeout: 'It does not answer in time: look at its load, and at firewalls that swallow packets.',
  connection:
    'It cannot be reached, or its certificate is not trusted: look at the address, DNS, the firewall, tls.ca and tls.servername.',
  credentials:
    'It refuses the service’s account, or the secret cannot be read: look at the secret, and whether the account is locked, disabled or expired.',
  refused: 'It answers with an error: look at its own log, and at the base or statement of the lookups.',
  malformed: 'What answers there is not this kind of system: look at address and port.',
  overloaded: 'It is asked more than its limits allow: look at limits.concurrency.',
  internal: 'A defect: the service’s log has the detail.',
};

function remedyOf(reason: string): string {
  return sourceRemedies[reason] ?? 'The service’s log has the detail.';
}

export function sourceFinding({ name, transport, result, reason = 'internal', ms }: TestedSource): Finding {
  const check = `source ${name}`;
  if (result === 'up') return answeringFinding(check, transport, `${ms.toFixed(1)} ms`);
  if (result === 'busy')
    return { check, state: 'warning', detail: 'other tests of it are under way', remedy: 'Try again in a moment.' };
  return {
    check,
    state: 'failed',
    detail: `down: ${reason}`,
    remedy: remedyOf(reason),
  };
}

/** What a test that succeeds proves depends on how it got there. */
function answeringFinding(check: string, transport: ListedSource['transport'], took: string): Finding {
  switch (transport) {
    case 'encrypted':
      return { check, state: 'ok', detail: `TLS and credentials are accepted (${took})` };
    case 'none':
      return { check, state: 'ok', detail: `can be read (${took})` };
    case 'clearText':
      return {
        check,
        state: 'warning',
        detail: `answers, in clear text: credentials and people’s data are readable on the network (${took})`,
        remedy:
          'Use ldaps:// or startTls, tls: verify-full, https://; without allowClearText and tls: disable the service refuses clear text itself.',
      };
    case undefined:
      return { check, state: 'ok', detail: `answers; whether it is encrypted is not told (${took})` };
  }
}

/** A source as GET /admin/v1/sources has it. */
export interface ListedSource {
  readonly name: string;
  /** Absent where the connector does not say. */
  readonly transport?: 'encrypted' | 'clearText' | 'none';
  readonly health: { readonly state: 'up' | 'down' | 'unknown'; readonly lastError?: { readonly code: string } };
}

/** Of a source that could not be tested, for lack of a role or of the store that records tests: what the last sign-in or probe met. */
export function untestedFinding(name: string, { state, lastError }: ListedSource['health'], why: string): Finding {
  const check = `source ${name}`;
  if (state === 'down') {
    const code = lastError?.code ?? 'internal';
    return { check, state: 'failed', detail: `down: ${code} (not tested: ${why})`, remedy: remedyOf(code) };
  }
  return {
    check,
    state: 'warning',
    detail: `not tested: ${why}; when last asked it was ${state}`,
    remedy: 'A test needs the role Claims.Preview, and the store of the mappings, which records it.',
  };
}

/** How far two clocks may be apart before tokens are refused; half of the service's default tolerance. */
const tolerance = 30_000;

/** Compares the service's clock with another one. HTTP dates have whole seconds. */
export function clockFinding(check: string, theirs: Date | undefined, ours: Date): Finding {
  if (theirs === undefined) return { check, state: 'warning', detail: 'the service did not say what time it is' };
  const apart = theirs.getTime() - ours.getTime();
  const seconds = Math.round(Math.abs(apart) / 1_000);
  if (Math.abs(apart) <= tolerance) return { check, state: 'ok', detail: `${seconds} s apart` };
  return {
    check,
    state: 'failed',
    detail: `the service’s clock is ${seconds} s ${apart > 0 ? 'ahead' : 'behind'}`,
    remedy: 'Tokens are valid for a time: synchronise the clocks (NTP).',
  };
}
