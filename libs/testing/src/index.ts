export { FakeSource, type FakeLookup } from './claims/fake-source.js';
