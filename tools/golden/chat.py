#!/usr/bin/env python3
"""Writes tests/golden/chat.json: conversations as Hugging Face's chat templates write them, for templates with the marks by
which Choir tells them apart.  Needs transformers and jinja2.

    tools/golden/chat.py >tests/golden/chat.json
"""
import json

from transformers.utils.chat_template_utils import render_jinja_template

SYSTEM_FIRST = "{% if messages[0]['role'] == 'system' %}{% set told = messages[0]['content'] %}{% set messages = messages[1:] %}{% endif %}"
LOOP, END = "{% for message in messages %}", "{% endfor %}"


def by_role(system, user, assistant, start):
    role = "message['role']"
    return (LOOP + "{% if " + role + " == 'system' %}{{ " + system + " }}{% elif " + role + " == 'user' %}{{ " + user
            + " }}{% else %}{{ " + assistant + " }}{% endif %}" + END + "{% if add_generation_prompt %}{{ " + start + " }}{% endif %}")


def each(begin, content, end):
    return f"'{begin}' + {content} + {end}"


CONTENT = "message['content']"
MISTRAL = (SYSTEM_FIRST + "{{ bos_token }}" + LOOP + "{% if message['role'] == 'user' %}{{ OPEN"
           " + (told + '\\n\\n' if loop.first and told is defined else '') + message['content'] + CLOSE }}"
           "{% else %}{{ REPLY + message['content'] + eos_token }}{% endif %}" + END)


def mistral(open_, close, reply, tools=True):
    text = MISTRAL.replace("OPEN", f'"{open_}"').replace("CLOSE", f'"{close}"').replace("REPLY", f'"{reply}"')
    return text + ("{# [AVAILABLE_TOOLS] #}" if tools else "")


CHATML = each("<|im_start|>' + message['role'] + '\\n", CONTENT, "'<|im_end|>\\n'")
CASES = (
    # name, text, BOS, EOS, what stands before and behind a reply, whether a system message may be given
    ("llama2", SYSTEM_FIRST + LOOP + "{% if message['role'] == 'user' %}{% if loop.first and told is defined %}"
     "{% set said = '<<SYS>>\\n' + told + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set said = message['content'] %}"
     "{% endif %}{{ bos_token + '[INST] ' + said.strip() + ' [/INST]' }}{% else %}"
     "{{ ' ' + message['content'].strip() + ' ' + eos_token }}{% endif %}" + END, "<s>", "</s>", (" ", " "), True),
    ("mistral-v1", mistral(" [INST] ", " [/INST]", " "), "<s>", "</s>", (" ", ""), True),
    ("mistral-v1", mistral(" [INST] ", " [/INST]", "", tools=False), "<s>", "</s>", ("", ""), True),
    ("mistral-v3", mistral("[INST] ", "[/INST]", " "), "<s>", "</s>", (" ", ""), True),
    ("mistral-v3-tekken", mistral("[INST]", "[/INST]", "").replace('"[INST]"', '"[INST]"'), "<s>", "</s>", ("", ""), True),
    ("chatml", by_role(CHATML, CHATML, CHATML, "'<|im_start|>assistant\\n'"), "", "<|im_end|>", ("", ""), True),
    ("chatml", "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are kind.\\nBe brief.<|im_end|>\\n' }}{% endif %}"
     + by_role(CHATML, CHATML, CHATML, "'<|im_start|>assistant\\n'"), "<|im_start|>", "<|im_end|>", ("", ""), True),
    ("zephyr", by_role(each("<|system|>\\n", CONTENT, "eos_token + '\\n'"), each("<|user|>\\n", CONTENT, "eos_token + '\\n'"),
                       each("<|assistant|>\\n", CONTENT, "eos_token + '\\n'"), "'<|assistant|>\\n'"), "<s>", "</s>", ("", ""), True),
    ("gemma", "{{ bos_token }}" + SYSTEM_FIRST + "{% set first_user_prefix = told + '\\n\\n' if told is defined else '' %}" + LOOP
     + "{% if message['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = 'user' %}{% endif %}"
     "{{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else '') + message['content'] | trim + '<end_of_turn>\\n' }}"
     + END + "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}", "<bos>", "<eos>", ("", ""), True),
    ("gemma", "{{ bos_token }}" + LOOP + "{% if message['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = 'user' %}"
     "{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}"
     + END + "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}", "<bos>", "<eos>", ("", ""), False),
    ("llama3", LOOP + "{% set said = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim"
     " + '<|eot_id|>' %}{% if loop.first %}{% set said = bos_token + said %}{% endif %}{{ said }}" + END
     + "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}{# system #}",
     "<|begin_of_text|>", "<|eot_id|>", ("", ""), True),
    ("phi3", by_role(each("<|system|>\\n", CONTENT, "'<|end|>\\n'"), each("<|user|>\\n", CONTENT, "'<|end|>\\n'"),
                     each("<|assistant|>\\n", CONTENT, "'<|end|>\\n'"), "'<|assistant|>\\n'"), "<s>", "<|endoftext|>", ("", ""), True),
)
USER = ("Why is the sky blue? \n", "And at night? {%u}")
REPLY = "Air scatters blue light."


def render(text, bos, eos, messages):
    rendered, _ = render_jinja_template([messages], chat_template=text, add_generation_prompt=True, bos_token=bos, eos_token=eos)
    return rendered[0]


def main():
    out = []
    for name, text, bos, eos, around, takes_system in CASES:
        one = dict(name=name, text=text, bos=bos, eos=eos, reply=REPLY.join(around), user=USER, takes_system=takes_system)
        turns = [dict(role="user", content=USER[0]), dict(role="assistant", content=REPLY), dict(role="user", content=USER[1])]
        system = [dict(role="system", content="Be a poet.")]
        one["first"] = render(text, bos, eos, turns[:1])
        one["second"] = render(text, bos, eos, turns)
        one["system"] = "Be a poet."
        one["told"] = render(text, bos, eos, system + turns[:1]) if takes_system else None
        out.append(one)
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
