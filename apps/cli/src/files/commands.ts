import type { Command } from 'commander';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import type { Output } from '../output.js';
import { assumedContext } from './assumed-context.js';
import { examine, type Examined } from './examine.js';
import { readDocuments } from './read-documents.js';

/** What the commands of this folder are given. */
export interface FileCommandOptions {
  readonly against?: string;
}
