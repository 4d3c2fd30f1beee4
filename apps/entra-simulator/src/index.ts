export { startSimulator } from './simulator.js';
