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

  it('adds up each combination of labels by itself, whatever order they come in', async () => {
    const metrics = new Metrics();
    metrics.answers.inc({ source: 'ad', lookup: 'user', use: 'hit' });
    metrics.answers.inc({ use: 'hit', lookup: 'user', source: 'ad' });
    metrics.answers.inc({ source: 'ad', lookup: 'us', use: 'erhit' });
    const text = await metrics.registry.metrics();
    expect(text).toContain('# TYPE claimbridge_lookup_answers_total counter');
    expect(text).toContain('claimbridge_lookup_answers_total{source="ad",lookup="user",use="hit"} 2');
    expect(text).toContain('claimbridge_lookup_answers_total{source="ad",lookup="us",use="erhit"} 1');
  });

  it('counts durations up to each bound, the bound included, and beyond the last', async () => {
    const metrics = new Metrics();
    for (const seconds of [0.005, 0.006, 0.2, 7]) metrics.eventSeconds.observe({ status: 200 }, seconds);
    const text = await metrics.registry.metrics();
    expect(text).toContain('# TYPE claimbridge_event_duration_seconds histogram');
    for (const [bound, count] of [
      ['0.005', 1],
      ['0.01', 2],
      ['0.1', 2],
      ['0.2', 3],
      ['2', 3],
      ['+Inf', 4],
    ])
      expect(text).toMatch(
        new RegExp(
          String.raw`^claimbridge_event_duration_seconds_bucket\{(?=[^}]*le="${String(bound).replace('+', String.raw`\+`)}")[^}]*\} ${count}$`,
          'm',
        ),
      );
    expect(text).toContain('claimbridge_event_duration_seconds_sum{status="200"} 7.211');
    expect(text).toContain('claimbridge_event_duration_seconds_count{status="200"} 4');
  });

  it('keeps two instances in one process apart', async () => {
    const [one, other] = [new Metrics(), new Metrics()];
    one.events.inc({ tenant: 'a', mapping: 'm', status: 200, code: '' });
    expect(await one.registry.metrics()).toContain('claimbridge_events_total{tenant="a",mapping="m",status="200",code=""} 1');
    expect(await other.registry.metrics()).not.toContain('tenant="a"');
  });
});
