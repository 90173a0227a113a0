/** Print, as JSON, what open-graph-scraper finds at an address of this machine: node opengraph.mjs URL */
import ogs from 'open-graph-scraper';

const [url] = process.argv.slice(2);
if(!/^http:\/\/localhost:\d+\//.test(url)) {
  throw new Error(`expected an address of this machine, got ${url}`);
}
const settings = {protocols: ['http'], require_tld: false, require_protocol: true, require_host: true, require_valid_protocol: true};
const {result} = await ogs({url, urlValidatorSettings: settings}).catch(failed => failed);
process.stdout.write(JSON.stringify(result));
