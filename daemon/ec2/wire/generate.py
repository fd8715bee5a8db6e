#!/usr/bin/python3
"""Emits the structs and tables of the EC2 wire from the published service models.

  generate.py --models DIR --actions actions.txt --quirks quirks.txt --out DIR

Reads botocore's data (names and types only, no documentation text) for the listed actions and
writes wire_types.h, wire_visit.h and wire_tables.cc. Stops with one sentence when a listed action,
a quirk's shape or a type it does not know how to hold turns up.
"""
import argparse
import gzip
import json
import pathlib
import re
import sys

SERVICES = {
    'ec2': ('ec2/2016-11-15', 'http://ec2.amazonaws.com/doc/2016-11-15/'),
    'sts': ('sts/2011-06-15', 'https://sts.amazonaws.com/doc/2011-06-15/'),
}
SCALARS = {
    'string': ('text', 'std::string'), 'character': ('text', 'std::string'),
    'integer': ('integer', 'std::int64_t'), 'long': ('integer', 'std::int64_t'),
    'boolean': ('boolean', 'bool'),
    'float': ('real', 'double'), 'double': ('real', 'double'),
    'timestamp': ('time', 'WallTime'), 'blob': ('blob', 'std::string'),
}
RANGES = {'integer': (-2**31, 2**31 - 1), 'long': (-2**63, 2**63 - 1)}
KEYWORDS = set('''and asm auto bool break case catch char class concept const continue default delete
do double else enum explicit export extern false float for friend goto if int long namespace new not
operator or private protected public register return short signed sizeof static struct switch
template this throw true try typedef typeid union unsigned using virtual void volatile while xor
'''.split())
QUIRKS = {'first', 'emit_empty', 'omit_empty', 'keep_empty', 'open_enum', 'tolerate'}


def stop(message):
    sys.exit('generate.py: ' + message)


def snake(name):
    """InstanceIds -> instance_ids, VCpuInfo -> vcpu_info, SizeInMiB -> size_in_mib."""
    for odd, even in (('VCpu', 'Vcpu'), ('MiB', 'Mib'), ('GiB', 'Gib'), ('VPC', 'Vpc'),
                      ('IDs', 'Ids'), ('ARN', 'Arn'), ('IOPS', 'Iops')):
        name = name.replace(odd, even)
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', re.sub(r'(.)([A-Z][a-z]+)', r'\1_\2', name))
    name = name.lower()
    return {'return': 'return_value'}.get(name, name + '_' if name in KEYWORDS else name)


def upper_first(name):
    return name[0].upper() + name[1:]


def quoted(text):
    return json.dumps(text)


def load_model(root, service):
    path = root / SERVICES[service][0]
    for name, opener in (('service-2.json', open), ('service-2.json.gz', gzip.open)):
        if (path / name).exists():
            with opener(path / name, 'rt', encoding='utf-8') as f:
                return json.load(f)
    stop(f'expected service-2.json in {path}, found none: install python3-botocore '
         'or point BERTH_BOTOCORE_DATA at its data folder')


def words(path):
    for line in path.read_text(encoding='utf-8').splitlines():
        fields = line.split('#')[0].split()
        if fields:
            yield fields


class Quirks:
    def __init__(self, path):
        self.rows = {}
        self.used = set()
        for fields in words(path):
            if len(fields) < 4 or fields[0] not in QUIRKS:
                stop(f'{path.name}: expected "what where client why", found "{" ".join(fields)}"')
            if (fields[0], fields[1]) in self.rows:
                stop(f'{path.name}: two rows for {fields[0]} {fields[1]}')
            self.rows[(fields[0], fields[1])] = True

    def has(self, what, where):
        if (what, where) in self.rows:
            self.used.add((what, where))
            return True
        return False

    def check_all_used(self):
        unused = sorted(f'{what} {where}' for what, where in self.rows.keys() - self.used)
        if unused:
            stop('quirks.txt: rows that match nothing: ' + ', '.join(unused))


class Struct:
    """A structure shape to be emitted: its C++ name and its members in the model's order."""

    def __init__(self, service, name, spec):
        self.service = service
        self.name = name
        self.spec = spec
        self.members = []
        self.action = None
        self.top_output = False

    @property
    def qualified(self):
        return f'sts::{self.name}' if self.service == 'sts' else self.name


class Generator:
    def __init__(self, models, actions, quirks):
        self.models = models
        self.quirks = quirks
        self.structs = {}  # (service, shape name) -> Struct, in order of definition
        self.visiting = []
        self.enums = [()]
        self.actions = []
        for service, action in actions:
            self.add_action(service, action)
        self.number = {key: i for i, key in enumerate(self.structs)}
        for struct in self.structs.values():
            self.describe(struct)
        quirks.check_all_used()

    def add_action(self, service, action):
        model = self.models[service]
        operation = model['operations'].get(action)
        if operation is None:
            stop(f'actions.txt: {action} is not an action of {service}')
        shapes = model['shapes']
        request = operation.get('input', {}).get('shape')
        if request is None:
            request = action + 'Request'
            shapes[request] = {'type': 'structure', 'members': {}}
        result = operation.get('output', {}).get('shape')
        if result is None:
            # EC2 answers <return>true</return>, and libcloud reads it, where the model says nothing.
            result = 'BooleanResult'
            shapes[result] = {'type': 'structure',
                              'members': {'Return': {'shape': 'Boolean', 'locationName': 'return'}}}
        self.reach(service, request)
        self.reach(service, result)
        if self.structs[(service, request)].action:
            stop(f'{request} is the request of two actions')
        self.structs[(service, request)].action = action
        self.structs[(service, result)].top_output = True
        wrapper = operation.get('output', {}).get('resultWrapper', '')
        if service == 'sts' and wrapper != action + 'Result':
            stop(f'{action}: expected the result wrapper {action}Result, found "{wrapper}"')
        self.actions.append((service, action, (service, request), (service, result)))

    def reach(self, service, name):
        """Adds a structure after everything it holds by value, so that C++ can define it."""
        key = (service, name)
        if key in self.structs:
            return
        if key in self.visiting:
            chain = [n for _, n in self.visiting[self.visiting.index(key):]] + [name]
            stop('a structure holds itself without a list in between: ' + ' -> '.join(chain))
        self.visiting.append(key)
        shapes = self.models[service]['shapes']
        behind_lists = []
        for member in shapes[name]['members'].values():
            inner = shapes[member['shape']]
            if inner['type'] == 'structure':
                self.reach(service, member['shape'])
            elif inner['type'] == 'list':
                item = inner['member']['shape']
                if shapes[item]['type'] == 'structure':
                    # A vector of a type yet to be defined is fine, so recursion through lists works.
                    behind_lists.append(item)
        for item in behind_lists:
            if (service, item) not in self.visiting:
                self.reach(service, item)
        self.visiting.pop()
        self.structs[key] = Struct(service, name, shapes[name])

    def enum_number(self, name, shape):
        values = tuple(shape.get('enum', ()))
        if not values or self.quirks.has('open_enum', name):
            return 0
        if values not in self.enums:
            self.enums.append(values)
        return self.enums.index(values)

    def describe(self, struct):
        shapes = self.models[struct.service]['shapes']
        required = struct.spec.get('required', [])
        for api_name, ref in struct.spec['members'].items():
            shape = shapes[ref['shape']]
            where = f'{struct.name}.{api_name}'
            m = {'api': api_name, 'field': snake(api_name), 'required': api_name in required,
                 'item_name': '', 'kind': shape['type'], 'item': 'text', 'shape': 0, 'values': 0,
                 'min': 0, 'max': -1,
                 'keep_empty': self.quirks.has('keep_empty', where),
                 'first': self.quirks.has('first', where),
                 'member_segment': False}
            if struct.service == 'ec2':
                m['query'] = ref.get('queryName') or upper_first(ref.get('locationName', api_name))
            else:
                m['query'] = ref.get('locationName', api_name)
            m['xml'] = ref.get('locationName', api_name)
            if shape['type'] == 'list':
                self.describe_list(struct, m, shape, shapes)
            elif shape['type'] == 'structure':
                m['kind'] = 'structure'
                target = self.structs[(struct.service, ref['shape'])]
                m['shape'] = self.number[(struct.service, ref['shape'])]
                m['type'] = f'std::optional<{target.qualified}>'
            elif shape['type'] in SCALARS:
                m['kind'], held = SCALARS[shape['type']]
                m['type'] = f'std::optional<{held}>'
                m['values'] = self.enum_number(ref['shape'], shape)
                if shape['type'] in RANGES:
                    low, high = RANGES[shape['type']]
                    m['min'], m['max'] = shape.get('min', low), shape.get('max', high)
            else:
                stop(f'{where}: a member of type {shape["type"]} has no place in the structs')
            if m['kind'] == 'list':
                emit = self.quirks.has('emit_empty', where)
                omit = self.quirks.has('omit_empty', where)
                m['emit_empty'] = emit or (struct.top_output and not omit)
            else:
                m['emit_empty'] = False
            struct.members.append(m)

    def describe_list(self, struct, m, shape, shapes):
        ref = shape['member']
        item = shapes[ref['shape']]
        m['kind'] = 'list'
        m['item_name'] = ref.get('locationName', 'member')
        m['member_segment'] = struct.service == 'sts' and not shape.get('flattened')
        if 'max' in shape or 'min' in shape:
            m['min'], m['max'] = shape.get('min', 0), shape.get('max', 2**31 - 1)
        if item['type'] == 'structure':
            m['item'] = 'structure'
            target = self.structs[(struct.service, ref['shape'])]
            m['shape'] = self.number[(struct.service, ref['shape'])]
            m['type'] = f'std::vector<{target.qualified}>'
        elif item['type'] in SCALARS and item['type'] != 'boolean':
            m['item'], held = SCALARS[item['type']]
            m['type'] = f'std::vector<{held}>'
            m['values'] = self.enum_number(ref['shape'], item)
        else:
            stop(f'{struct.name}.{m["api"]}: a list of {item["type"]} has no place in the structs')

    # -- output ------------------------------------------------------------------------------------

    def types_header(self):
        out = ['#pragma once', '// Generated by daemon/ec2/wire/generate.py from the service models; do not edit.',
               '// Absent: an empty optional or vector. Fields in the order of the service model.', '',
               '#include <cstdint>', '#include <optional>', '#include <string>', '#include <vector>', '',
               '#include "berth/base/time.h"', '#include "daemon/ec2/wire/descriptor.h"', '',
               'namespace berth::ec2::wire {', '', 'enum class Action : std::uint8_t {']
        out += [f'  {snake(action)},' for _, action, _, _ in self.actions]
        out += ['};', '']
        for service in ('ec2', 'sts'):
            structs = [s for s in self.structs.values() if s.service == service]
            if service == 'sts':
                out += ['namespace sts {', '']
            out += [f'struct {s.name};' for s in structs] + ['']
            for s in structs:
                out += self.struct_text(s)
            for owner, action, request, result in self.actions:
                if owner != service:
                    continue
                for suffix, key in (('Request', request), ('Result', result)):
                    if key[1] != action + suffix:
                        if (service, action + suffix) in self.structs:
                            stop(f'{action}{suffix} names two shapes')
                        out.append(f'using {action}{suffix} = {key[1]};')
            out.append('')
            if service == 'sts':
                out += ['}  // namespace sts', '']
        out += ['}  // namespace berth::ec2::wire', '']
        return '\n'.join(out)

    def struct_text(self, s):
        out = [f'struct {s.name} {{',
               f'  static constexpr ShapeId kShape = {self.number[(s.service, s.name)]};']
        if s.action:
            out.append(f'  static constexpr Action kAction = Action::{snake(s.action)};')
        for m in s.members:
            initial = ' = true' if s.name == 'BooleanResult' else ' = {}'
            kind = m['type'].replace('sts::', '') if s.service == 'sts' else m['type']
            out.append(f'  {kind} {m["field"]}{initial};')
        out += [f'  bool operator==({s.name} const&) const = default;', '};', '']
        return out

    def tables(self):
        out = ['// Generated by daemon/ec2/wire/generate.py from the service models; do not edit.',
               '#include <cstddef>', '', '#include "berth/base/ensure.h"', '#include "daemon/ec2/wire/descriptor.h"',
               '#include "daemon/ec2/wire/wire_types.h"', '',
               '// The structs hold standard library types only; GCC and clang lay them out as offsetof says.',
               '#pragma GCC diagnostic ignored "-Winvalid-offsetof"', '',
               'namespace berth::ec2::wire {', '', 'namespace {', '',
               'template <class T> void* emplace(void* optional) {',
               '  auto& held = *static_cast<std::optional<T>*>(optional);',
               '  return held ? &*held : &held.emplace();', '}',
               'template <class T> void const* value(void const* optional) {',
               '  auto const& held = *static_cast<std::optional<T> const*>(optional);',
               '  return held ? &*held : nullptr;', '}',
               'template <class T> void* append(void* vector) {',
               '  return &static_cast<std::vector<T>*>(vector)->emplace_back();', '}',
               'template <class T> Items items(void const* vector) {',
               '  auto const& held = *static_cast<std::vector<T> const*>(vector);',
               '  return {held.data(), held.size(), sizeof(T)};', '}', '']
        for i, values in enumerate(self.enums):
            if i:
                out.append(f'constexpr std::string_view kValues{i}[] = {{{", ".join(map(quoted, values))}}};')
        out.append('constexpr std::span<std::string_view const> kEnumerations[] = {{}'
                   + ''.join(f', kValues{i}' for i in range(1, len(self.enums))) + '};')
        out.append('')
        for i, s in enumerate(self.structs.values()):
            if s.members:
                out.append(f'constexpr Member kMembers{i}[] = {{')
                for m in sorted(s.members, key=lambda m: not m['first']):
                    out.append('  ' + self.member_text(s, m))
                out.append('};')
        optionals = {m['shape'] for s in self.structs.values() for m in s.members if m['kind'] == 'structure'}
        vectors = {m['shape'] for s in self.structs.values() for m in s.members
                   if m['kind'] == 'list' and m['item'] == 'structure'}
        out.append('constexpr Shape kShapes[] = {')
        for i, s in enumerate(self.structs.values()):
            members = f'kMembers{i}' if s.members else 'std::span<Member const>{}'
            t = s.qualified
            one = f'&emplace<{t}>, &value<{t}>' if i in optionals else 'nullptr, nullptr'
            many = f'&append<{t}>, &items<{t}>' if i in vectors else 'nullptr, nullptr'
            out.append(f'  {{{quoted(s.name)}, {members}, {one}, {many}}},')
        out += ['};', '']
        for kind, rows in (('Required', self.required_lists()), ('Tolerated', self.tolerated())):
            for i, names in rows.items():
                out.append(f'constexpr std::string_view k{kind}{i}[] = {{{", ".join(map(quoted, names))}}};')
        required, tolerated = self.required_lists(), self.tolerated()
        out.append('constexpr ActionInfo kActions[] = {')
        for i, (service, action, request, result) in enumerate(self.actions):
            out.append(f'  {{{quoted(action)}, Service::{service}, {self.number[request]}, {self.number[result]}, '
                       + (f'kRequired{i}' if i in required else '{}') + ', '
                       + (f'kTolerated{i}' if i in tolerated else '{}') + '},')
        out += ['};', '']
        out.append('constexpr ServiceInfo kServices[] = {')
        for service, (folder, namespace) in SERVICES.items():
            out.append(f'  {{{quoted(service)}, {quoted(folder.split("/")[1])}, {quoted(namespace)}}},')
        out += ['};', '', '}  // namespace', '',
                'std::span<ActionInfo const> actions() { return kActions; }',
                'ActionInfo const& info(Action action) {',
                '  ENSURE(static_cast<std::size_t>(action) < std::size(kActions));',
                '  return kActions[static_cast<std::size_t>(action)];', '}',
                'Shape const& shape(ShapeId id) {', '  ENSURE(id < std::size(kShapes));', '  return kShapes[id];', '}',
                'std::span<std::string_view const> enumeration(std::uint16_t values) {',
                '  ENSURE(values < std::size(kEnumerations));', '  return kEnumerations[values];', '}',
                'ServiceInfo const& info(Service service) { return kServices[static_cast<std::size_t>(service)]; }',
                '', '}  // namespace berth::ec2::wire', '']
        return '\n'.join(out)

    def member_text(self, s, m):
        flag = {True: 'true', False: 'false'}
        number = lambda n: 'INT64_MIN' if n == -2**63 else 'INT64_MAX' if n == 2**63 - 1 else str(n)
        return (f'{{{quoted(m["api"])}, {quoted(m["query"])}, {quoted(m["xml"])}, {quoted(m["item_name"])}, '
                f'offsetof({s.qualified}, {m["field"]}), Kind::{m["kind"]}, Kind::{m["item"]}, {m["shape"]}, '
                f'{m["values"]}, {number(m["min"])}, {number(m["max"])}, {flag[m["required"]]}, '
                f'{flag[m["keep_empty"]]}, {flag[m["emit_empty"]]}, {flag[m["member_segment"]]}}},')

    def required_lists(self):
        rows = {}
        for i, (_, _, request, _) in enumerate(self.actions):
            names = [m['query'] for m in self.structs[request].members if m['kind'] == 'list' and m['required']]
            if names:
                rows[i] = names
        return rows

    def tolerated(self):
        rows = {}
        for i, (_, action, _, _) in enumerate(self.actions):
            names = [where.split('.', 1)[1] for what, where in self.quirks.rows
                     if what == 'tolerate' and where.split('.', 1)[0] == action]
            if names:
                rows[i] = names
        return rows

    def visit_header(self):
        out = ['#pragma once', '// Generated by daemon/ec2/wire/generate.py from the service models; do not edit.', '',
               '#include <utility>', '', '#include "daemon/ec2/wire/wire_types.h"', '',
               'namespace berth::ec2::wire {', '',
               '// Calls f.operator()<Request, Result>() with the types of an action. Instantiates f for every',
               '// action: for one dispatcher or one test, not for headers.',
               'template <class F>', 'decltype(auto) visit_action(Action action, F&& f) {', '  switch (action) {']
        for service, action, request, result in self.actions:
            types = ', '.join(self.structs[k].qualified for k in (request, result))
            out.append(f'    case Action::{snake(action)}: return std::forward<F>(f).template operator()<{types}>();')
        out += ['  }', '  std::abort();', '}', '', '}  // namespace berth::ec2::wire', '']
        return '\n'.join(out).replace('#include <utility>', '#include <cstdlib>\n#include <utility>')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    for name in ('models', 'actions', 'quirks', 'out'):
        parser.add_argument('--' + name, type=pathlib.Path, required=True)
    args = parser.parse_args()
    actions = []
    for fields in words(args.actions):
        service, _, action = fields[0].rpartition(':')
        actions.append((service or 'ec2', action))
    if len(set(actions)) != len(actions):
        stop('actions.txt: an action is listed twice')
    models = {service: load_model(args.models, service) for service in SERVICES}
    quirks = Quirks(args.quirks)
    for what, where in quirks.rows:
        if what == 'tolerate' and where.split('.', 1)[0] in {action for _, action in actions}:
            quirks.used.add((what, where))
    generator = Generator(models, actions, quirks)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, text in (('wire_types.h', generator.types_header()), ('wire_visit.h', generator.visit_header()),
                       ('wire_tables.cc', generator.tables())):
        (args.out / name).write_text(text, encoding='utf-8')


if __name__ == '__main__':
    main()
