/**
 * A machine from outside, with other people's software, at a served VC API: `node vc_api_client.mjs http://localhost:8000`.
 *
 * Digital Bazaar's library checks what the VC API has issued, and issues what the VC API has to check; `jose` opens
 * envelopes. Every expectation is a line of JSON on standard output: {says, met, got}.
 */
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite as ecdsaRdfc2019} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {cryptosuite as eddsaRdfc2022} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {securityLoader} from '@digitalcredentials/security-document-loader';
import * as jose from 'jose';

const [, , base] = process.argv;
const packaged = securityLoader().build();
const V1 = 'https://www.w3.org/2018/credentials/v1';
const V2 = 'https://www.w3.org/ns/credentials/v2';
const SUBJECT = {id: 'did:example:subject'};
const CREDENTIAL = {'@context': [V2], type: ['VerifiableCredential'], credentialSubject: SUBJECT};
const OLDER = {...CREDENTIAL, '@context': [V1], issuanceDate: '2020-03-16T22:37:26.544Z'};
const KINDS = [
  {cryptosuite: 'eddsa-rdfc-2022', keyType: 'Ed25519', implementation: eddsaRdfc2022},
  {cryptosuite: 'ecdsa-rdfc-2019', keyType: 'P-256', implementation: ecdsaRdfc2019},
  {cryptosuite: 'ecdsa-rdfc-2019', keyType: 'P-384', implementation: ecdsaRdfc2019}
];

/** Contexts that others carry, keys by their did:key, and what the service under test serves; nothing else. */
async function documentLoader(url) {
  if(url.startsWith('did:key:')) {
    const [did, fragment] = url.split('#');
    const multikey = did.slice('did:key:'.length);
    const method = {id: `${did}#${multikey}`, type: 'Multikey', controller: did, publicKeyMultibase: multikey};
    const context = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'];
    const relations = {assertionMethod: [method.id], authentication: [method.id]};
    const document = fragment ?
      {'@context': context, ...method} :
      {'@context': context, id: did, verificationMethod: [method], ...relations};
    return {documentUrl: url, document};
  }
  if(url.startsWith(`${base}/`)) {
    return {documentUrl: url, document: await (await fetch(url)).json()};
  }
  return packaged(url);
}

async function post(path, body) {
  const headers = {'content-type': 'application/json'};
  const response = await fetch(`${base}/vc/${path}`, {method: 'POST', headers, body: JSON.stringify(body)});
  return {status: response.status, data: await response.json()};
}

/** The issuer for which it signs with these options: its refusal of a credential that names none says so. */
async function issuerFor(options) {
  const {data} = await post('credentials/issue', {credential: CREDENTIAL, options});
  return data.detail.match(/did:key:[A-Za-z0-9]+/)[0];
}

async function issue(credential, options) {
  const issuer = await issuerFor(options);
  const {status, data} = await post('credentials/issue', {credential: {issuer, ...credential}, options});
  expect(`${JSON.stringify(options)} is issued`, status, 201);
  return data.verifiableCredential;
}

function expect(says, got, wanted) {
  process.stdout.write(`${JSON.stringify({says, met: got === wanted, got})}\n`);
}

/** What Digital Bazaar's verifier says of a credential: true, "revoked", or why not. */
async function judged(credential) {
  const suite = [eddsaRdfc2022, ecdsaRdfc2019].map(cryptosuite => new DataIntegrityProof({cryptosuite}));
  const {verified, error, statusResult} =
    await vc.verifyCredential({credential, suite, documentLoader, checkStatus});
  if(!verified) {
    return (error.errors ?? [error]).map(({message}) => message).join(': ');
  }
  return (statusResult?.results ?? []).some(({status}) => status) ? 'revoked' : true;
}

async function newKey(keyType) {
  const key = keyType === 'Ed25519' ? await Ed25519Multikey.generate() : await EcdsaMultikey.generate({curve: keyType});
  const {publicKeyMultibase} = await key.export({publicKey: true});
  key.controller = `did:key:${publicKeyMultibase}`;
  key.id = `${key.controller}#${publicKeyMultibase}`;
  return key;
}

for(const {implementation, ...options} of KINDS) {
  const {keyType} = options;
  for(const credential of [CREDENTIAL, OLDER]) {
    expect(`theirs accepts ours, ${keyType}`, await judged(await issue(credential, options)), true);
  }

  const entry = {type: 'BitstringStatusListEntry', statusPurpose: 'revocation'};
  const id = `urn:uuid:${crypto.randomUUID()}`;
  const listed = await issue({...CREDENTIAL, id}, {...options, credentialStatus: entry});
  expect(`theirs accepts ours with its status, ${keyType}`, await judged(listed), true);
  expect('it is revoked', (await post('credentials/status', {credentialId: id, credentialStatus: entry})).status, 200);
  expect(`theirs sees that it is revoked, ${keyType}`, await judged(listed), 'revoked');
  expect('ours too', (await post('credentials/verify', {verifiableCredential: listed})).status, 400);

  const key = await newKey(keyType);
  const suite = () => new DataIntegrityProof({signer: key.signer(), cryptosuite: implementation});
  for(const credential of [CREDENTIAL, OLDER]) {
    const theirs = await vc.issue({credential: {...credential, issuer: key.controller}, suite: suite(), documentLoader});
    const body = {verifiableCredential: theirs, options: {checks: ['proof']}};
    const {status, data} = await post('credentials/verify', body);
    expect(`ours accepts theirs, ${keyType}`, status, 200);
    expect('and says so', data.verified, true);
    const forged = {...theirs, credentialSubject: {id: 'did:example:somebody-else'}};
    const {status: refused} = await post('credentials/verify', {verifiableCredential: forged});
    expect(`ours refuses a forgery, ${keyType}`, refused, 400);

    const challenge = crypto.randomUUID();
    const presentation = vc.createPresentation({
      verifiableCredential: [theirs], holder: key.controller, version: credential === OLDER ? 1.0 : 2.0
    });
    const shown = await vc.signPresentation({
      presentation, suite: suite(), challenge, domain: 'verifier.example', documentLoader
    });
    for(const [asked, wanted] of [[{challenge, domain: 'verifier.example'}, 200], [{challenge: 'another'}, 400]]) {
      const answer = await post('presentations/verify', {verifiablePresentation: shown, options: asked});
      expect(`ours answers their presentation with ${wanted}, ${keyType}`, answer.status, wanted);
    }
  }
}

for(const [keyType, alg] of [['Ed25519', 'EdDSA'], ['P-256', 'ES256'], ['P-384', 'ES384']]) {
  const {id} = await issue(CREDENTIAL, {cryptosuite: 'vc+jwt', keyType});
  const token = id.slice('data:application/vc+jwt,'.length);
  const header = jose.decodeProtectedHeader(token);
  expect(`jose reads the header of an envelope, ${keyType}`, `${header.typ} ${header.alg}`, `vc+jwt ${alg}`);
  const {document} = await documentLoader(header.kid);
  const from = keyType === 'Ed25519' ? Ed25519Multikey : EcdsaMultikey;
  const jwk = await from.toJwk({keyPair: await from.from(document)});
  const {payload} = await jose.compactVerify(token, await jose.importJWK(jwk, alg));
  expect(`jose opens it, ${keyType}`, JSON.parse(new TextDecoder().decode(payload)).credentialSubject.id, SUBJECT.id);
}
