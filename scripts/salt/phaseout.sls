# Salt state: installs phaseout from a bundle (make_bundle.py) without a network; systemd makes its daily report.
# salt://phaseout holds the .tar of the bundle and the files of scripts/unix and scripts/systemd.
# References: https://docs.saltproject.io/en/latest/ref/states/all/
/opt/phaseout-bundle.tar:
  file.managed:
    - source: salt://phaseout/phaseout-bundle.tar

# An installation that failed is tried again: only one that ended well leaves the sum of its bundle.
phaseout_installed:
  cmd.run:
    - name: >-
        rm -rf phaseout-bundle && tar -xf phaseout-bundle.tar && sh phaseout-bundle/install /opt/phaseout &&
        rm -r phaseout-bundle && sha256sum phaseout-bundle.tar > phaseout-bundle.installed
    - unless: sha256sum --check --status phaseout-bundle.installed && test -x /opt/phaseout/bin/phaseout
    - cwd: /opt
    - require:
      - file: /opt/phaseout-bundle.tar

/usr/local/sbin/phaseout_report:
  file.managed:
    - source: salt://phaseout/phaseout_report
    - mode: '0755'

{% for unit in ('phaseout.service', 'phaseout.timer') %}
/etc/systemd/system/{{ unit }}:
  file.managed:
    - source: salt://phaseout/{{ unit }}
    - mode: '0644'
{% endfor %}

phaseout_timer:
  service.running:
    - name: phaseout.timer
    - enable: True
    - require:
      - cmd: phaseout_installed
      - file: /usr/local/sbin/phaseout_report
    - watch:
      - file: /etc/systemd/system/phaseout.timer
