export default class LeftBehindReporter {
  onInit(): void;
  onTestRunEnd(): Promise<void>;
}
