'use strict';

// passport-azure-ad writes a log line of its own for every forged token; nothing else of bunyan is used by it.
const silent = { fatal() {}, error() {}, warn() {}, info() {}, debug() {}, trace() {}, levels() {} };

exports.createLogger = () => silent;
