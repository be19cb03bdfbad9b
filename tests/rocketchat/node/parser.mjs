// What Rocket.Chat's own message parser makes of texts, moved by lines of JSON; see tests/node.py.
import { createInterface } from "node:readline";
import { parse as newest } from "@rocket.chat/message-parser";
import of6 from "message-parser-of-6";

const everything = {
  colors: true,
  emoticons: true,
  katex: { dollarSyntax: true, parenthesisSyntax: true },
  customDomains: ["intranet"],
};

for await (const line of createInterface({ input: process.stdin })) {
  const { texts, old } = JSON.parse(line);
  const read = old ? of6.parse : newest;
  process.stdout.write(JSON.stringify({ ok: texts.map((text) => read(text, everything)) }) + "\n");
}
