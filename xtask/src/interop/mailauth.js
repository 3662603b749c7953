// Verifies with mailauth: a line a job, which is JSON, a tab and the message in base64; JSON out.
const readline = require('readline');
// How it is asked to judge is an option of its own.
const STRICT = process.argv.includes("strict");
const { dkimVerify } = require('mailauth/lib/dkim/verify');

async function verify(job, message) {
    const resolver = async name => {
        const text = job.records[name.replace(/\.$/, '')];
        if (text === undefined) {
            throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
        }
        return [[text]];
    };
    const found = await dkimVerify(message, { resolver, strict: STRICT });
    return found.results.some(one => one.status && one.status.result === 'pass');
}

(async () => {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [job, message] = line.split('\t');
        let answer;
        try {
            const passes = await verify(JSON.parse(job), Buffer.from(message, 'base64'));
            answer = { pass: passes };
        } catch (error) {
            answer = { error: String(error) };
        }
        process.stdout.write(`${JSON.stringify(answer)}\n`);
    }
})();
