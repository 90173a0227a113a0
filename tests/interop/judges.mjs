/**
 * Other people's software, asked over standard input: one JSON request a line, one JSON answer a line.
 *
 * A request is {judge, ...}; the judges and what they take stand at the end. Nothing is fetched: what these programs
 * would get from an address comes from the request's `documents` ({address: JSON value or text}), and any other
 * address is refused. An answer is what the judge says, or {error} where it gave up; with `turns` it is {answer,
 * milliseconds}, of so many the mean.
 */
import {createInterface} from 'node:readline';

console.log = console.error; // standard output is for answers

let documents = {};

/** Stand in for the network, also for programs that bring their own way to it. */
globalThis.fetch = async request => {
  const url = String(request.url ?? request);
  const body = published(url);
  if(body === undefined) {
    throw new TypeError(`nothing at ${url}`);
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Response(text, {headers: {'content-type': 'application/json'}});
};

/** A document in development is given at http, and asked for by did:web at https. */
function published(url) {
  return documents[url] ?? documents[url.replace(/^https:\/\/localhost/, 'http://localhost')];
}

const {default: jsonld} = await import('jsonld');
const {canonize} = await import('rdf-canonize');
const vc = await import('@digitalbazaar/vc');
const {DataIntegrityProof} = await import('@digitalbazaar/data-integrity');
const {cryptosuite: eddsaRdfc2022} = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
const {cryptosuite: ecdsaRdfc2019} = await import('@digitalbazaar/ecdsa-rdfc-2019-cryptosuite');
const Ed25519Multikey = await import('@digitalbazaar/ed25519-multikey');
const {checkStatus} = await import('@digitalbazaar/vc-bitstring-status-list');
const {securityLoader} = await import('@digitalcredentials/security-document-loader');
const verifierCore = await import('@digitalcredentials/verifier-core');
const jose = await import('jose');

const packaged = securityLoader().build(); // the contexts that others carry, in the editions that they carry

/** The document loader for Digital Bazaar's verifier: given documents, DIDs and their parts, packaged contexts. */
async function documentLoader(url) {
  const [address, fragment] = url.split('#');
  const document = published(address) ?? (address.startsWith('did:web:') ? published(didWebUrl(address)) : undefined);
  if(document === undefined) {
    return address.startsWith('did:') ? refuse(url) : packaged(url);
  }
  if(!fragment) {
    return {documentUrl: url, document};
  }
  const method = (document.verificationMethod ?? []).find(({id}) => id === url);
  return method ? {documentUrl: url, document: {'@context': document['@context'], ...method}} : refuse(url);
}

function didWebUrl(did) {
  const [host, ...path] = did.slice('did:web:'.length).split(':').map(decodeURIComponent);
  return `https://${host}/${path.length ? path.join('/') : '.well-known'}/did.json`;
}

function refuse(url) {
  throw new Error(`nothing at ${url}`);
}

function reasons(error) {
  return error ? [error.message, ...(error.errors ?? []).flatMap(reasons), ...reasons(error.cause)] : [];
}

const judges = {
  /** {document} or {quads}: the canonical N-Quads, by jsonld.js (in safe mode) and rdf-canonize. */
  async canonicalization({document, quads}) {
    const dataset = quads ?? await jsonld.toRDF(document, {documentLoader, safe: true, base: null});
    const options = {algorithm: 'RDFC-1.0', format: 'application/n-quads', maxWorkFactor: Infinity};
    if(quads !== undefined) {
      options.inputFormat = 'application/n-quads';
    }
    return {canonical: await canonize(dataset, options)};
  },

  /** {credential, now?}: Digital Bazaar's verdict, and for each status entry whether it is set in its verified list. */
  async digitalbazaar({credential, now}) {
    const suite = [eddsaRdfc2022, ecdsaRdfc2019].map(cryptosuite => new DataIntegrityProof({cryptosuite}));
    const {verified, error, statusResult} =
      await vc.verifyCredential({credential, suite, documentLoader, checkStatus, now: now && new Date(now)});
    return {
      verified,
      reasons: [...reasons(error), ...reasons(statusResult?.error)],
      statuses: (statusResult?.results ?? []).map(({status}) => status)
    };
  },

  /** {controller}: a new Ed25519 key pair of Digital Bazaar's. */
  async 'digitalbazaar key'({controller}) {
    return (await Ed25519Multikey.generate({controller})).export({publicKey: true, secretKey: true});
  },

  /** {credential, key}: the credential, signed by Digital Bazaar's issuer. */
  async 'digitalbazaar signature'({credential, key}) {
    const signer = (await Ed25519Multikey.from(key)).signer();
    return vc.issue({credential, suite: new DataIntegrityProof({signer, cryptosuite: eddsaRdfc2022}), documentLoader});
  },

  /** {presentation, challenge, domain, now?}: Digital Bazaar's verdict on it and on each credential in it. */
  async 'digitalbazaar presentation'({presentation, challenge, domain, now}) {
    const suite = [eddsaRdfc2022, ecdsaRdfc2019].map(cryptosuite => new DataIntegrityProof({cryptosuite}));
    const options = {presentation, challenge, domain, suite, documentLoader, checkStatus, now: now && new Date(now)};
    const {verified, error, credentialResults = []} = await vc.verify(options);
    return {verified, reasons: reasons(error), credentials: credentialResults.map(({verified}) => verified)};
  },

  /** {presentation, challenge, domain, key}: the presentation, signed by Digital Bazaar's holder. */
  async 'digitalbazaar presenting'({presentation, challenge, domain, key}) {
    const signer = (await Ed25519Multikey.from(key)).signer();
    const suite = new DataIntegrityProof({signer, cryptosuite: eddsaRdfc2022});
    return vc.signPresentation({presentation, challenge, domain, suite, documentLoader});
  },

  /** {credential}: the Digital Credentials Consortium's steps, and the schemas that it checked the form with. */
  async digitalcredentials({credential}) {
    const {log = [], errors = [], additionalInformation = []} =
      await verifierCore.verifyCredential({credential, knownDIDRegistries: []});
    const schemas = additionalInformation.find(({id}) => id === 'schema_check')?.results;
    return {
      steps: Object.fromEntries(log.map(({id, valid, error}) => [id, error ? error.name : valid])),
      reasons: errors.map(({name, message}) => `${name}: ${message}`),
      schemas: Array.isArray(schemas) ? schemas.map(({schema, result}) => ({schema, ...result})) : schemas
    };
  },

  /** {token, issuer, now?}: the payload of a JWT whose signature, dates and issuer stand, by its `kid`. */
  async jose({token, issuer, now}) {
    const key = await jose.importJWK(published(jose.decodeProtectedHeader(token).kid) ?? refuse('kid'), 'ES256');
    const options = {issuer, algorithms: ['ES256'], currentDate: now && new Date(now)};
    return (await jose.jwtVerify(token, key, options)).payload;
  }
};

for await (const line of createInterface({input: process.stdin})) {
  const {judge, documents: given = {}, turns = 0, ...request} = JSON.parse(line);
  documents = given;
  const start = performance.now();
  let answer;
  try {
    for(let turn = 0; turn < (turns || 1); turn++) {
      answer = await judges[judge](request);
    }
  } catch(error) {
    answer = {error: reasons(error).join(': ') || String(error)};
  }
  const milliseconds = (performance.now() - start) / turns;
  process.stdout.write(`${JSON.stringify(turns ? {answer, milliseconds} : answer)}\n`);
}
