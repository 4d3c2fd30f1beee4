import type { ConfigurationIssue } from '#claims';
import type { DiffVersion } from '../contract/mapping.js';
import { issueBodies } from '../contract/problem.js';
import { AdminProblem } from '../http/admin-problem.js';
import { etagOf } from '../http/entity-tag.js';

/** 404. */
export const unknownMapping = (what: string): AdminProblem =>
  new AdminProblem({
    code: 'mapping.unknown',
    status: 404,
    title: `There is no such ${what}.`,
    remedy: 'GET /admin/v1/mappings lists the mappings, and …/revisions the revisions of one.',
  });

/** 412: somebody changed it since the caller looked. */
export const changedMeanwhile = (current: number): AdminProblem =>
  new AdminProblem({
    code: 'mapping.changed',
    status: 412,
    title: 'The mapping was changed meanwhile.',
    remedy: 'Read it again, look at what changed, and send If-Match with its present ETag.',
    errors: [{ path: ['If-Match'], reason: `is not the present version, which is ${current}` }],
    etag: etagOf(current),
  });

/** 409: a document of this name is there already. */
export const mappingExists = (current: number): AdminProblem =>
  new AdminProblem({
    code: 'mapping.exists',
    status: 409,
    title: 'There is a mapping of this name already.',
    remedy: 'Choose another name, or save the draft of that one.',
    errors: [{ path: ['name'], reason: 'is taken in this tenant' }],
    etag: etagOf(current),
  });

/** 422: it speaks against itself, or against what is in force beside it. */
export const mappingRefused = (issues: readonly ConfigurationIssue[]): AdminProblem =>
  new AdminProblem({
    code: 'mapping.refused',
    status: 422,
    title: 'The mapping is refused. What is in force stays.',
    remedy: 'Correct what errors names in the draft, validate it, and try again.',
    errors: issueBodies(issues),
  });

/** 422: a version that cannot be read has nothing that could be compared. */
export const unreadableVersion = (version: DiffVersion, issues: readonly ConfigurationIssue[]): AdminProblem =>
  new AdminProblem({
    code: 'mapping.unreadable',
    status: 422,
    title: `${nameOf(version)} cannot be read as a mapping, so there is nothing to compare.`,
    remedy: 'Correct what errors names in it, or compare other versions; validate says all that is wrong with a document.',
    errors: issueBodies(issues),
  });

function nameOf(version: DiffVersion): string {
  if (version === 'draft') return 'The draft';
  return version === 'published' ? 'What is in force' : `Revision ${version}`;
}

/** 409: the mappings are files, and only whoever writes the files changes them. */
export const readOnlyMappings = (): AdminProblem =>
  new AdminProblem({
    code: 'mapping.readOnly',
    status: 409,
    title: 'The mappings are files and cannot be changed here.',
    remedy:
      'Change the file in the folder that the configuration names, or keep the mappings in PostgreSQL (store in the configuration).',
  });
