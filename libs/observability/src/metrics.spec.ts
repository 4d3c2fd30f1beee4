import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.js';

describe('Metrics', () => {
  it('reads a gauge when the metrics are read, and forgets a series that is gone', async () => {
    const metrics = new Metrics();
    let up: Record<string, number> = { directory: 1, billing: 0 };
    metrics.gauge('source_up', 'Sources.', ['source'], () =>
      Object.entries(up).map(([source, value]) => [{ source }, value] as const),
    );
    const first = await metrics.registry.metrics();
    up = { billing: 1 };
    const second = await metrics.registry.metrics();
    expect(first).toContain('source_up{source="directory"} 1');
    expect(first).toContain('source_up{source="billing"} 0');
    expect(second).toContain('source_up{source="billing"} 1');
    expect(second).not.toContain('directory');
  });

  it('keeps two instances in one process apart', async () => {
    const [one, other] = [new Metrics(), new Metrics()];
    one.events.inc({ tenant: 'a', mapping: 'm', status: 200, code: '' });
    expect(await one.registry.metrics()).toContain('claimbridge_events_total{tenant="a",mapping="m",status="200",code=""} 1');
    expect(await other.registry.metrics()).not.toContain('tenant="a"');
  });
});
